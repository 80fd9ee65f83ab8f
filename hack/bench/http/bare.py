"""The least that aiohttp can do: parse the same JSON, return the same bytes: `… PORT FILE LOOP`."""

import asyncio
import sys
from pathlib import Path

import orjson
import uvloop
from aiohttp import web


async def run(port: int, answer: bytes) -> None:
    """Serve until the process is ended."""

    async def scan(request: web.Request) -> web.Response:
        orjson.loads(await request.read())
        return web.Response(body=answer, content_type="application/json")

    async def health(_: web.Request) -> web.Response:
        return web.Response(body=b'{"status":"ok"}', content_type="application/json")

    app = web.Application()
    app.add_routes([web.post("/api/v1/scan", scan), web.get("/health", health)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    port, answer, loop = sys.argv[1:]
    (uvloop.run if loop == "uvloop" else asyncio.run)(run(int(port), Path(answer).read_bytes()))
