"""Batches over HTTP, as tests send and read them."""

from typing import Any

import orjson

from running import Running

NDJSON = "application/x-ndjson"
Answer = dict[str, Any]


async def send(server: Running, items: list[Any], **more: Any) -> Answer:
    """The answer to a batch of JSON, which is expected to have one."""
    async with server.http.post("/api/v1/batch", json={"items": items, **more}) as response:
        assert response.status == 200, await response.text()
        found: Answer = orjson.loads(await response.read())
        return found


async def send_lines(server: Running, body: bytes, path: str = "/api/v1/batch") -> tuple[int, list[Answer]]:
    """The status, and the lines of the answer, to a batch of lines."""
    async with server.http.post(path, data=body, headers={"Content-Type": NDJSON}) as response:
        return response.status, [orjson.loads(line) for line in (await response.read()).splitlines()]


def item(name: str, ecosystem: str = "PyPI", **more: Any) -> Answer:
    """A question."""
    return {"ecosystem": ecosystem, "name": name, **more}


def lines(items: list[Any]) -> bytes:
    """Questions, one a line."""
    return b"".join(orjson.dumps(one) + b"\n" for one in items)
