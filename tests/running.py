"""Real servers on free ports, and clocks that stand still."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web
from prometheus_client.parser import text_string_to_metric_families

from typosentinel_server.clock import Clock
from typosentinel_server.front import Front, Runner
from typosentinel_server.keys import SERVER, Server


@dataclass
class StillClock:
    """Both clocks, moved by hand."""

    seconds: float = 1000.0
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        """Binds both clocks to the seconds."""
        self.clock = Clock(wall=lambda: self.seconds, monotonic=lambda: self.seconds)


@dataclass(frozen=True)
class Running:
    """A server that listens, and a client for it."""

    url: str
    http: ClientSession
    parts: Server
    front: Front


Start = Callable[..., Awaitable[Running]]


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[Running]:
    """An application behind a real socket."""
    runner = Runner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with ClientSession(url) as http:
            yield Running(url, http, app[SERVER], runner.front)
    finally:
        await runner.cleanup()


async def ask(server: Running, **body: Any) -> dict[str, Any]:
    """The answer to a question that is expected to have one."""
    async with server.http.post("/api/v1/scan", json=body) as response:
        assert response.status == 200
        found: dict[str, Any] = await response.json()
        return found


async def samples(server: Running) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample under its name and labels."""
    async with server.http.get("/metrics") as response:
        text = await response.text()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
