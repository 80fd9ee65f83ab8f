"""A registry of our own on loopback: slips are days old, all else is old and well known. It can be told to hang."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

OLD = datetime(2014, 5, 1, tzinfo=UTC)


@dataclass
class Registry:
    """Answers as PyPI's JSON of a project does.

    Attributes:
        known: names that are old; all others were uploaded yesterday.
        port: where it listens.
        asked: requests up to now.
        answering: cleared, it takes requests and answers none.
    """

    known: frozenset[str]
    port: int = 0
    asked: int = 0
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def provider(self) -> dict[str, object]:
        """The entry under `providers.registries`."""
        return {"ecosystem": "PyPI", "url": f"http://127.0.0.1:{self.port}/pypi/{{name}}/json"}

    async def tell(self, request: web.Request) -> web.Response:
        """One project."""
        self.asked += 1
        await self.answering.wait()
        name = request.match_info["name"]
        born = OLD if name in self.known else datetime.now(UTC) - timedelta(days=1)
        files = [{"upload_time_iso_8601": born.strftime("%Y-%m-%dT%H:%M:%SZ")}]
        return web.json_response({"info": {"name": name}, "releases": {"1.0": files}})


@asynccontextmanager
async def registry(known: frozenset[str]) -> AsyncIterator[Registry]:
    """A registry that listens."""
    one = Registry(known)
    one.answering.set()
    app = web.Application()
    app.router.add_get("/pypi/{name}/json", one.tell)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        one.port = runner.addresses[0][1]
        yield one
    finally:
        one.answering.set()
        await runner.cleanup()
