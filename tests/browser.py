"""A headless Chromium, told what to do over its debugging protocol."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
START_SECONDS = 30.0
PATIENCE_SECONDS = 20.0


class Browser:
    """One page.

    Args:
        socket: to its debugger.
    """

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._last = 0
        self.complaints: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the debugger answers; complaints of the page that come meanwhile are kept."""
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": parameters})
        while True:
            said = await self._socket.receive_json()
            level = said.get("params", {}).get("entry", {}).get("level")
            if said.get("method") == "Runtime.exceptionThrown" or level in {"warning", "error"}:
                self.complaints.append(json.dumps(said["params"]))
            if said.get("id") == self._last:
                found: dict[str, Any] = said["result"]
                return found

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, expression: str) -> Any:
        """The value of an expression as soon as it is something."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := await self.evaluate(expression)):  # noqa: ASYNC110 - the page is asked
                await asyncio.sleep(0.05)
        return found


@asynccontextmanager
async def browsing(url: str, folder: Path) -> AsyncIterator[Browser]:
    """A browser that shows a page; its profile is in the folder."""
    process = await asyncio.create_subprocess_exec(
        "chromium",
        *OPTIONS,
        "--remote-debugging-port=0",
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            address = await _debugger(process)
        async with ClientSession() as http:
            async with http.get(f"http://{address}/json/list") as answer:
                (page,) = [target for target in await answer.json() if target["type"] == "page"]
            async with http.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                browser = Browser(socket)
                for domain in ("Runtime", "Log", "Page"):
                    await browser.call(f"{domain}.enable")
                await browser.call("Page.navigate", url=url)
                yield browser
    finally:
        process.terminate()
        await process.communicate()


async def _debugger(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        if b"DevTools listening on ws://" in line:
            return line.decode().split("ws://")[1].split("/")[0]
    raise AssertionError("the browser has ended")
