"""The API server as those see it who are not measured: a bare HTTP client with the administrator's certificate."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from typosentinel_operator.names import Kind

Manifest = dict[str, Any]

TOO_MANY_REQUESTS = 429
ATTEMPTS, PAUSE_SECONDS = 60, 0.5
LINE_BYTES = 4 * 1024 * 1024
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@asynccontextmanager
async def connected(server: str, pki: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A session at the API server.

    Args:
        server: its URL.
        pki: folder with its authority's certificate and the administrator's.
    """
    trusted = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    trusted.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    connector = aiohttp.TCPConnector(ssl=trusted, limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    async with aiohttp.ClientSession(
        server, connector=connector, timeout=timeout, read_bufsize=LINE_BYTES, raise_for_status=True
    ) as session:
        yield session


def path_of(kind: Kind, space: str | None = None) -> str:
    """Path of a kind's objects, of all namespaces or of one."""
    root = "/apis" if kind.group else "/api"
    within = f"/namespaces/{space}" if space else ""
    return f"{root}/{kind.api_version}{within}/{kind.plural}"


async def existing(session: aiohttp.ClientSession, kind: Kind) -> set[tuple[str, str, str]]:
    """All objects of a kind, as (kind, namespace, name)."""
    async with session.get(path_of(kind), headers={"Accept": METADATA}) as answer:
        found = json.loads(await answer.read())["items"]
    return {(kind.name, item["metadata"]["namespace"], item["metadata"]["name"]) for item in found}


async def follow(session: aiohttp.ClientSession, kind: Kind, **query: str) -> AsyncIterator[tuple[str, Manifest]]:
    """Objects of a kind as they are, and then whatever happens to them, as (ADDED | MODIFIED | DELETED, object).

    Where a watch ends, as those of our kinds do when their definitions are taken up anew, everything is told again from
    a list; what was deleted meanwhile is not told.

    Args:
        session: at the API server.
        kind: of which objects.
        query: selectors.

    Raises:
        ConnectionError: there is no list, or watches end one after another.
    """
    for _ in range(ATTEMPTS):
        page = await _listed(session, kind, query)
        for item in page["items"]:
            yield "ADDED", item
        onward = {"watch": "true", "resourceVersion": page["metadata"]["resourceVersion"], "timeoutSeconds": "7200"}
        async with session.get(path_of(kind), params=query | onward) as answer:
            async for line in answer.content:
                event = json.loads(line)
                if event["type"] not in {"ADDED", "MODIFIED", "DELETED"}:
                    break
                yield event["type"], event["object"]
        await asyncio.sleep(PAUSE_SECONDS)
    raise ConnectionError(f"the watch of {kind.plural} has ended {ATTEMPTS} times")


async def _listed(session: aiohttp.ClientSession, kind: Kind, query: dict[str, str]) -> Manifest:
    """A page of objects; of a kind that has just been defined the API server has none yet, and says 429."""
    for _ in range(ATTEMPTS):
        async with session.get(path_of(kind), params=query, raise_for_status=False) as answer:
            if answer.status != TOO_MANY_REQUESTS:
                answer.raise_for_status()
                page: Manifest = json.loads(await answer.read())
                return page
            await asyncio.sleep(PAUSE_SECONDS)
    raise ConnectionError(f"the API server has not listed {kind.plural} in {ATTEMPTS * PAUSE_SECONDS:g} s")
