"""/livez, /readyz and /metrics of the operator. Alive is who makes progress; ready is who has seen everything once."""

from collections.abc import Callable
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from typosentinel_operator.control import Control
from typosentinel_operator.telemetry import Telemetry

# Time without an attempt at a resync, beyond its period, that no API server, however slow, can explain.
SILENT_SECONDS: Final = 120.0
# Time without any key's being finished while some are worked on: every request has a deadline, so something hangs.
STUCK_SECONDS: Final = 300.0


def make_app(
    control: Control, registry: CollectorRegistry, telemetry: Telemetry, clock: Callable[[], float]
) -> web.Application:
    """The application with the three routes."""

    def resync_age() -> float:
        progress = control.progress
        return clock() - (progress.started if progress.last_resync is None else progress.last_resync)

    def attempt_age() -> float:
        last = control.progress.last_attempt
        # Before the first attempt the operator may have to wait for its kinds to be installed.
        return 0.0 if last is None else clock() - last

    async def livez(_: web.Request) -> web.Response:
        trouble = []
        if attempt_age() > control.resync_seconds + SILENT_SECONDS:
            trouble.append(f"no attempt at a resync for {attempt_age():.0f} s")
        if control.queue.stuck_for() > STUCK_SECONDS:
            trouble.append(f"nothing has been finished for {control.queue.stuck_for():.0f} s")
        return _answer(trouble)

    async def readyz(_: web.Request) -> web.Response:
        return _answer([] if control.progress.last_resync is not None else ["no resync yet"])

    async def metrics(_: web.Request) -> web.Response:
        telemetry.queue_oldest.set(control.queue.oldest())
        telemetry.resync_age.set(resync_age())
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    return app


def _answer(trouble: list[str]) -> web.Response:
    return web.Response(status=503, text="\n".join(trouble) + "\n") if trouble else web.Response(text="ok\n")
