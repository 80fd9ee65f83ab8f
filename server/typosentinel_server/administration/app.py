"""The administrative application: a port of its own, which is open only while there is a token."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from aiohttp import web

from typosentinel_server import __version__
from typosentinel_server.administration import cacheviews, views
from typosentinel_server.administration.guard import DELAY_SECONDS, GUESSES, Guarded
from typosentinel_server.administration.loglevel import LevelOverride
from typosentinel_server.administration.operations import HEAD, operations
from typosentinel_server.administration.token import TokenKeeper
from typosentinel_server.administration.views import LEVELS
from typosentinel_server.errors import DomainError
from typosentinel_server.front import Runner
from typosentinel_server.keys import SERVER, Server
from typosentinel_server.middleware import AROUND, MAX_BODY_BYTES
from typosentinel_server.published import openapi
from typosentinel_server.published.pages import Documentation

# An old token opens nothing any more this long after the file was changed.
LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Administration:
    """Where administration listens, and who may.

    Attributes:
        token_file: holds the token.
        host: address to listen on.
        port: to listen on.
        look: seconds between two looks at the file.
        delay: seconds that a wrong token waits for its answer.
        guesses: wrong tokens from one address in a minute, after which it is told to wait.
    """

    token_file: Path
    host: str = "127.0.0.1"
    port: int = 8081
    look: float = LOOK_SECONDS
    delay: float = DELAY_SECONDS
    guesses: int = GUESSES


def make_admin_app(server: Server, tokens: TokenKeeper, given: Administration) -> web.Application:
    """The application for the parts that a server has.

    Args:
        server: to look after.
        tokens: knows who may.
        given: what becomes of those who may not.
    """
    around = Guarded(server, tokens, given.delay, given.guesses)
    app = web.Application(middlewares=[around.handle], client_max_size=MAX_BODY_BYTES)
    app[SERVER], app[AROUND] = server, around
    app[LEVELS] = LevelOverride(server.log, lambda: server.reloader.current, server.clock.monotonic)
    document = openapi.document(replace(HEAD, version=__version__), operations(server.ports))
    app.add_routes(views.routes(server.ports))
    app.add_routes(cacheviews.routes(server.ports))
    app.add_routes(Documentation(document).routes(("",)))
    return app


@asynccontextmanager
async def administered(server: Server, given: Administration | None) -> AsyncIterator[Runner | None]:
    """Around the life of a server: its administrative port is open within, as soon as there is a token.

    Raises:
        TokenRefused: the file is there and holds no token.
        DomainError: the address cannot be listened on.
    """
    if given is None:
        yield None
        return
    tokens = TokenKeeper(given.token_file, server.log)
    runner = Runner(make_admin_app(server, tokens, given))
    await runner.setup()
    levels = runner.app[LEVELS]
    watch = asyncio.create_task(tokens.run(given.look, levels.look), name="administrative token")
    site = asyncio.create_task(_opened(runner, given, tokens), name="administrative port")
    try:
        if tokens.present.is_set():
            await site
        yield runner
    finally:
        for task in (watch, site):
            task.cancel()
            with suppress(asyncio.CancelledError, DomainError):
                await task
        await runner.cleanup()


def beside(given: Administration | None) -> Callable[[web.Application], AsyncIterator[None]]:
    """The same as a part of an application's life: open from its start to after its last request."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async with administered(app[SERVER], given):
            yield

    return context


async def _opened(runner: Runner, given: Administration, tokens: TokenKeeper) -> None:
    await tokens.present.wait()
    log = runner.app[SERVER].log
    try:
        await web.TCPSite(runner, given.host, given.port).start()
    except (OSError, OverflowError) as error:
        failure = DomainError(
            "CANNOT_LISTEN",
            f"cannot listen on {given.host} port {given.port}: {getattr(error, 'strerror', '') or error}",
            "Choose another --admin-port, or stop what listens there.",
        )
        log.write.error("administrative port cannot be opened", reason=failure.message)
        raise failure from error
    host, port = runner.addresses[0][:2]
    log.write.info("administration listens", address=f"http://{f'[{host}]' if ':' in host else host}:{port}")
