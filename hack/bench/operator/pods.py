"""Every scanner pod's server, in a process of its own: says at each pod's address that it runs its ConfigMap.

kwok makes the pods ready and gives them addresses of the block that this process listens at. The first line of output
names the block; the process ends when its standard input does.
"""

import argparse
import asyncio
import hashlib
import json
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from hack.bench.operator.apiserver import connected, follow
from typosentinel_operator import names

Manifest = dict[str, Any]
Key = tuple[str, str]

# Of 127.0.0.0/8, beyond what the campaigns take.
BLOCKS = range(200, 250)
PER_NODE = 256
# A pod may be asked before its event has come here; the operator waits for a second.
PATIENCE_SECONDS = 0.8
# A pod has been ready for so long when it says so first.
CONFIGURATION_AGE = 60.0


def claim() -> tuple[str, socket.socket]:
    """A block of addresses that no other run has, and the socket that says so.

    Raises:
        OSError: all are taken.
    """
    for number in BLOCKS:
        block = f"127.{number}"
        try:
            return block, socket.create_server((f"{block}.255.1", names.PORT))
        except OSError:
            continue
    message = f"no free addresses from 127.{BLOCKS[0]} to 127.{BLOCKS[-1]} at port {names.PORT}"
    raise OSError(message)


class Pods:
    """What is known of pods and of their configuration, and their answers."""

    def __init__(self) -> None:
        self._holders: dict[str, Key] = {}
        self._digests: dict[Key, str] = {}
        self._changed = asyncio.Condition()

    async def follow_pods(self, session: aiohttp.ClientSession) -> None:
        """Learn which pod has which address."""
        query = {"labelSelector": names.MANAGED_SELECTOR, "fieldSelector": "status.phase=Running"}
        async for change, pod in follow(session, names.POD, **query):
            meta, address = pod["metadata"], pod.get("status", {}).get("podIP", "")
            if change == "DELETED":
                self._holders.pop(address, None)
                continue
            child = names.child_name(meta["labels"][names.LABEL_SCAN_SERVICE])
            await self._learn(self._holders, address, (meta["namespace"], child))

    async def follow_documents(self, session: aiohttp.ClientSession) -> None:
        """Learn what is in the ConfigMaps that pods mount."""
        async for change, found in follow(session, names.CONFIG_MAP, labelSelector=names.MANAGED_SELECTOR):
            key = found["metadata"]["namespace"], found["metadata"]["name"]
            if change == "DELETED":
                self._digests.pop(key, None)
                continue
            text = found.get("data", {}).get(names.CONFIG_KEY, "")
            await self._learn(self._digests, key, "sha256:" + hashlib.sha256(text.encode()).hexdigest())

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """What the server of a pod says at /health."""
        address = request.transport.get_extra_info("sockname")[0] if request.transport else ""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
                digest = await self._changed.wait_for(lambda: self._digests.get(self._holders.get(address, ("", ""))))
        except TimeoutError:
            return web.Response(status=503)
        return web.json_response({"configuration": {"hash": digest, "ageSeconds": CONFIGURATION_AGE}, "lists": []})

    async def _learn(self, known: dict[Any, Any], key: Any, value: Any) -> None:
        if known.get(key) != value:
            async with self._changed:
                known[key] = value
                self._changed.notify_all()


async def serve(server: str, pki: Path, nodes: int) -> None:
    """Answer for all pods until standard input ends.

    Args:
        server: the API server's URL.
        pki: folder with the administrator's certificate.
        nodes: how many nodes' addresses to listen at.
    """
    loop, pods = asyncio.get_running_loop(), Pods()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(connected(server, pki))
        block, claimed = claim()
        stack.callback(claimed.close)
        hosts = [f"{block}.{node}.{host}" for node in range(nodes) for host in range(PER_NODE)]
        listener = await loop.create_server(web.Server(pods.answer, access_log=None), hosts, names.PORT)
        stack.callback(listener.close)
        following = [
            asyncio.create_task(pods.follow_pods(session)),
            asyncio.create_task(pods.follow_documents(session)),
        ]
        ended = loop.run_in_executor(None, sys.stdin.read)
        print(json.dumps({"block": block}), flush=True)
        await asyncio.wait([*following, ended], return_when=asyncio.FIRST_COMPLETED)
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


def main() -> None:
    """Serve, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--pki", type=Path, required=True)
    parser.add_argument("--nodes", type=int, required=True)
    options = parser.parse_args()
    asyncio.run(serve(options.server, options.pki, options.nodes))


if __name__ == "__main__":
    main()
