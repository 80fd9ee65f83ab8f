"""When all ScanServices of a run have got somewhere, as a watch tells it."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from hack.bench.operator.apiserver import connected, existing, follow
from typosentinel_operator import names

Manifest = dict[str, Any]
Found = set[tuple[str, str, str]]

LOOK_SECONDS = 0.25


def is_observed(manifest: Manifest) -> bool:
    """Whether the status is about the spec as it is."""
    seen = manifest.get("status", {}).get("observedGeneration")
    return isinstance(seen, int) and seen == manifest["metadata"]["generation"]


def is_ready(manifest: Manifest) -> bool:
    """Whether it is Ready, and said to be of the spec as it is."""
    conditions = manifest.get("status", {}).get("conditions", [])
    return is_observed(manifest) and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


class Watching:
    """A watch on the ScanServices of one run.

    Args:
        server: the API server's URL.
        pki: folder with the administrator's certificate.
        spaces: namespaces of the run.
        count: how many ScanServices there will be.
        hopeless: whether there is nothing to wait for any more, because a process has failed.
    """

    def __init__(self, server: str, pki: Path, spaces: list[str], count: int, hopeless: Callable[[], bool]) -> None:
        self._server = server
        self._pki = pki
        self._spaces = frozenset(spaces)
        self._count = count
        self._hopeless = hopeless
        self.there = 0

    def until(self, holds: Callable[[Manifest], bool], seconds: float, children: Found | None = None) -> float | None:
        """Wait until something holds of all of them, and children are there.

        Args:
            holds: of one ScanService.
            seconds: how long to wait at most.
            children: as (kind, namespace, name).

        Returns:
            When that was, in monotonic seconds; None where it has not come about in time, or will not.
        """
        return asyncio.run(self._until(holds, seconds, children or set()))

    async def _until(self, holds: Callable[[Manifest], bool], seconds: float, children: Found) -> float | None:
        self.there = 0
        watched = asyncio.ensure_future(self._watch(holds, children))
        deadline = time.monotonic() + seconds
        while not watched.done() and time.monotonic() < deadline and not self._hopeless():
            await asyncio.wait([watched], timeout=LOOK_SECONDS)
        if watched.done():
            return watched.result()
        watched.cancel()
        await asyncio.wait([watched])
        return None

    async def _watch(self, holds: Callable[[Manifest], bool], children: Found) -> float:
        kinds = [kind for kind in (*names.CHILD_KINDS, names.SECRET) if any(kind.name == one for one, *_ in children)]
        async with connected(self._server, self._pki) as session:
            at = await self._all(session, holds)
            while not children <= set().union(*[await existing(session, kind) for kind in kinds]):
                # Statuses were there first, so it was not before now.
                await asyncio.sleep(LOOK_SECONDS)
                at = time.monotonic()
        return at

    async def _all(self, session: aiohttp.ClientSession, holds: Callable[[Manifest], bool]) -> float:
        there: set[tuple[str, str]] = set()
        async for change, manifest in follow(session, names.SCAN_SERVICE):
            key = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
            if key[0] not in self._spaces:
                continue
            if change != "DELETED" and holds(manifest):
                there.add(key)
            else:
                there.discard(key)
            self.there = len(there)
            if self.there >= self._count:
                break
        return time.monotonic()
