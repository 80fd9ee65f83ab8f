"""Stands in for kubelets and scanners, as far as the operator can see them: for campaigns of hundreds of restarts.

Pods become ready at once, at addresses of their own on loopback, where they say that they run what their ConfigMap
holds. What real kubelets and scanners do is seen in tests/e2e.
"""

import asyncio
import contextlib
import hashlib
import ssl
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from faults.loopthread import LoopThread
from typosentinel_operator import names

Manifest = dict[str, Any]
Key = tuple[str, str]

LOOK_SECONDS = 0.15
# A pod has been ready for so long when it says so first; who is to be Ready has to be settled all the same.
CONFIGURATION_AGE = 60.0
ANSWER_SECONDS = 5.0


class StandIns(LoopThread):
    """Every scanner pod's kubelet and server. A context manager.

    Args:
        server: the API server's URL.
        pki: folder with its authority's certificate and the administrator's.
    """

    def __init__(self, server: str, pki: Path) -> None:
        super().__init__("stand-ins")
        self._server = server
        self._pki = pki
        self._numbers = count(1)
        self._addresses: dict[Key, str] = {}
        self._sites: dict[str, web.TCPSite] = {}
        self._documents: dict[Key, str] = {}
        self._stack = contextlib.AsyncExitStack()
        self._runner: web.AppRunner
        self._session: aiohttp.ClientSession
        self._over = asyncio.Event()
        self._looking: asyncio.Task[None]

    async def _start(self) -> None:
        trusted = ssl.create_default_context(cafile=str(self._pki / "ca.crt"))
        trusted.load_cert_chain(self._pki / "admin.crt", self._pki / "admin.key")
        connector = aiohttp.TCPConnector(ssl=trusted)
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(self._server, connector=connector, timeout=timeout)
        )
        application = web.Application()
        application.router.add_get("/health", self._health)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        self._stack.push_async_callback(self._runner.cleanup)
        self._looking = asyncio.get_running_loop().create_task(self._look_until_over())

    async def _stop(self) -> None:
        # Not cancelled: a connection that is being made at that moment would be nobody's to close.
        self._over.set()
        await self._looking
        await self._stack.aclose()

    async def _look_until_over(self) -> None:
        while not self._over.is_set():
            # Between two looks the API server may be away: that is what some campaigns are about.
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                await self._look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), LOOK_SECONDS)

    async def _look(self) -> None:
        self._documents = {
            _key(found): found.get("data", {}).get(names.CONFIG_KEY, "") for found in await self._list(names.CONFIG_MAP)
        }
        pods = {_key(found): found for found in await self._list(names.POD)}
        for gone in self._addresses.keys() - pods.keys():
            await self._sites.pop(self._addresses.pop(gone)).stop()
        for key, pod in pods.items():
            if key not in self._addresses and "deletionTimestamp" not in pod["metadata"]:
                await self._run(key)

    async def _list(self, kind: names.Kind) -> list[Manifest]:
        root = "/apis" if kind.group else "/api"
        path = f"{root}/{kind.api_version}/{kind.plural}"
        async with self._session.get(path, params={"labelSelector": names.MANAGED_SELECTOR}) as answer:
            answer.raise_for_status()
            found: list[Manifest] = (await answer.json())["items"]
            return found

    async def _run(self, key: Key) -> None:
        address = await self._address()
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": now}
            for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        ]
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": conditions}
        namespace, name = key
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/status"
        headers = {"Content-Type": "application/strategic-merge-patch+json"}
        async with self._session.patch(path, json={"status": status}, headers=headers) as answer:
            if answer.status == web.HTTPNotFound.status_code:
                await self._sites.pop(address).stop()
                return
            answer.raise_for_status()
        self._addresses[key] = address

    async def _address(self) -> str:
        """An address on loopback at whose port nobody listens, and now we do."""
        while True:
            number = next(self._numbers)
            address = f"127.{64 + number // 64516 % 128}.{1 + number // 254 % 254}.{1 + number % 254}"
            site = web.TCPSite(self._runner, address, names.PORT)
            try:
                await site.start()
            except OSError:
                # Another campaign's.
                continue
            self._sites[address] = site
            return address

    async def _health(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        address = request.transport.get_extra_info("sockname")[0]
        pod = next((key for key, held in self._addresses.items() if held == address), None)
        if pod is None:
            raise web.HTTPServiceUnavailable
        namespace, name = pod
        # deployment-replicaset-pod
        config_map = name.rsplit("-", 2)[0]
        text = self._documents.get((namespace, config_map), "")
        digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        return web.json_response({"configuration": {"hash": digest, "ageSeconds": CONFIGURATION_AGE}, "lists": []})


def _key(manifest: Manifest) -> Key:
    return manifest["metadata"]["namespace"], manifest["metadata"]["name"]
