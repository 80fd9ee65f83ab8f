"""/livez, /readyz and /metrics of the operator. Alive is who makes progress; ready is who has seen everything once.

Of a standby nothing is wanted but that it follows the Lease: then it is alive, and ready to take over.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from typosentinel_operator.control import Control
from typosentinel_operator.leader import Elector
from typosentinel_operator.telemetry import Telemetry

# Time without an attempt at a resync, beyond its period, that no API server, however slow, can explain.
SILENT_SECONDS: Final = 120.0
# Time without any key's being finished while some are worked on: every request has a deadline, so something hangs.
STUCK_SECONDS: Final = 300.0


def make_app(
    control: Control,
    elector: Elector | None,
    registry: CollectorRegistry,
    telemetry: Telemetry,
    clock: Callable[[], float],
) -> web.Application:
    """The application with the three routes; without an elector the process leads from the start."""

    async def livez(_: web.Request) -> web.Response:
        return _answer(_silent(control, elector, clock()))

    async def readyz(_: web.Request) -> web.Response:
        if elector is not None and not elector.leading:
            return _answer(_not_following(elector, clock()))
        return _answer([] if control.progress.last_resync is not None else ["no resync yet"])

    async def metrics(_: web.Request) -> web.Response:
        telemetry.queue_oldest.set(control.queue.oldest())
        standby = elector is not None and not elector.leading
        telemetry.resync_age.set(0.0 if standby else _resync_age(control, clock()))
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    return app


def _resync_age(control: Control, now: float) -> float:
    progress = control.progress
    return now - (progress.started if progress.last_resync is None else progress.last_resync)


def _silent(control: Control, elector: Elector | None, now: float) -> list[str]:
    """What has given no sign of life for longer than can be explained."""
    trouble = []
    # Before the first attempts the operator may have to wait for its kinds to be installed, and for the Lease.
    asked = elector.attempted if elector is not None else None
    if elector is not None and asked is not None and now - asked > elector.timing.duration + SILENT_SECONDS:
        trouble.append(f"no attempt at the Lease for {now - asked:.0f} s")
    last = control.progress.last_attempt
    if last is not None and now - last > control.longest_pause + SILENT_SECONDS:
        trouble.append(f"no attempt at a resync for {now - last:.0f} s")
    if control.queue.stuck_for() > STUCK_SECONDS:
        trouble.append(f"nothing has been finished for {control.queue.stuck_for():.0f} s")
    return trouble


def _not_following(elector: Elector, now: float) -> list[str]:
    """Why a standby could not take over in time."""
    if elector.followed is None:
        return ["the Lease has not been seen yet"]
    age = now - elector.followed
    return [f"the Lease was last seen {age:.0f} s ago"] if age > elector.timing.duration else []


def _answer(trouble: list[str]) -> web.Response:
    return web.Response(status=503, text="\n".join(trouble) + "\n") if trouble else web.Response(text="ok\n")
