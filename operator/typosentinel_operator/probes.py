"""/livez, /readyz and /metrics of the operator. Alive is who makes progress; ready is who has seen everything once."""

from collections.abc import Callable
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from typosentinel_operator.control import Control
from typosentinel_operator.telemetry import Telemetry

# Resyncs that may be missed in a row, an API server that is away included, before a restart is worth a try.
MISSED_RESYNCS: Final = 10
# No key may wait or run longer than this: every request has a deadline, so more means that something hangs.
OLDEST_KEY_SECONDS: Final = 300.0


def make_app(
    control: Control, registry: CollectorRegistry, telemetry: Telemetry, clock: Callable[[], float]
) -> web.Application:
    """The application with the three routes."""

    def resync_age() -> float:
        progress = control.progress
        return clock() - (progress.started if progress.last_resync is None else progress.last_resync)

    async def livez(_: web.Request) -> web.Response:
        trouble = []
        if resync_age() > MISSED_RESYNCS * control.resync_seconds:
            trouble.append(f"no resync for {resync_age():.0f} s")
        if control.queue.oldest() > OLDEST_KEY_SECONDS:
            trouble.append(f"a key has been in the queue for {control.queue.oldest():.0f} s")
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
