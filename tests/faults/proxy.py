"""An HTTP-aware proxy before kube-apiserver, at which requests and the lines of watches meet with faults.

The caller's token is passed on, so that the caller has its own rights and no others. Whoever is to meet with faults is
given a kubeconfig with the proxy's address; everybody else goes on speaking to the API server itself.

    with ApiProxy("https://127.0.0.1:6443", folder / "pki") as proxy:
        proxy.inject(kinds.reset_after, when=lambda call: call.verb == "apply", times=1)
"""

import contextlib
import json
import socket
import ssl
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import hdrs, web
from multidict import CIMultiDict

from faults.calls import Call
from faults.loopthread import LoopThread

REMEMBERED_CALLS = 20_000
# They speak of one connection, and aiohttp writes them anew on the other.
_HOP_BY_HOP = (hdrs.CONNECTION, hdrs.TRANSFER_ENCODING, hdrs.CONTENT_LENGTH, hdrs.HOST, hdrs.KEEP_ALIVE)
# `struct linger` on, with no time: closing resets the connection instead of ending it in peace.
_RESET = struct.pack("ii", 1, 0)

When = Callable[[Call], bool]
# Whether a line of a watch, an event with its object, is withheld.
Withheld = Callable[[Call, dict[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of the API server."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


@dataclass(eq=False, slots=True)
class Exchange:
    """One request on its way, in the hands of a fault: it may be passed on, answered, held, or cut off.

    Attributes:
        call: what is asked.
    """

    call: Call
    _request: web.Request
    _body: bytes
    _proxy: "ApiProxy"
    response: web.StreamResponse = field(default_factory=web.Response)

    async def forward(self) -> Answer:
        """Let the API server carry it out; the caller hears nothing of that yet."""
        async with self._proxy.ask(self._request, self._body) as answer:
            return Answer(answer.status, _passed_on(answer.headers), await answer.read())

    async def deliver(self, answer: Answer) -> None:
        """Give the caller an answer, and see it sent."""
        made = web.Response(status=answer.status, headers=answer.headers, body=answer.body)
        self.response = made
        await made.prepare(self._request)
        await made.write_eof()

    async def pass_on(self) -> None:
        """Carry it out and give the caller the answer as it comes."""
        async with self._proxy.ask(self._request, self._body) as answer:
            made = web.StreamResponse(status=answer.status, headers=_passed_on(answer.headers))
            if (length := answer.headers.get(hdrs.CONTENT_LENGTH)) is not None:
                made.content_length = int(length)
            self.response = made
            await made.prepare(self._request)
            if self.call.verb == "watch" and answer.status == web.HTTPOk.status_code:
                async for line in answer.content:
                    if not self._proxy.withholds(self.call, line):
                        await made.write(line)
            else:
                async for chunk in answer.content.iter_any():
                    await made.write(chunk)
            await made.write_eof()

    def reset(self) -> None:
        """Reset the caller's connection."""
        transport = self._request.transport
        if transport is not None:
            held: socket.socket | None = transport.get_extra_info("socket")
            # None where the caller was faster.
            if held is not None:
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()


Fault = Callable[[Exchange], Awaitable[None]]


@dataclass(eq=False, slots=True)
class Injection:
    """A fault, and for which calls.

    Attributes:
        fault: what happens to them.
        when: which calls it is meant for.
        left: how many of them are still to meet with it; None: all.
        met: those that have.
    """

    fault: Fault
    when: When
    left: int | None
    met: list[Call] = field(default_factory=list)


class ApiProxy(LoopThread):
    """The proxy. A context manager.

    Args:
        upstream: the API server's URL.
        pki: folder with `ca.crt`, and with `apiserver.crt` and `apiserver.key`, with which the proxy poses as it.

    Attributes:
        calls: what has been asked, faults included, the latest at the end.
    """

    def __init__(self, upstream: str, pki: Path) -> None:
        super().__init__("api-proxy")
        self.calls: deque[Call] = deque(maxlen=REMEMBERED_CALLS)
        self._upstream = upstream
        self._pki = pki
        self._injections: list[Injection] = []
        self._withheld: list[Withheld] = []
        self._open: set[Exchange] = set()
        self._port = 0
        self._session: aiohttp.ClientSession
        self._stack = contextlib.AsyncExitStack()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self._port}"

    def kubeconfig(self, of: Path, path: Path) -> Path:
        """Write a kubeconfig by which somebody comes through the proxy.

        Args:
            of: a kubeconfig with a token; a client certificate can't be passed on.
            path: where to write.
        """
        content = yaml.safe_load(of.read_text(encoding="utf-8"))
        for cluster in content["clusters"]:
            cluster["cluster"]["server"] = self.url
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    def inject(self, fault: Fault, when: When = lambda _: True, *, times: int | None = None) -> Injection:
        """Let calls meet with a fault from now on; of several that are meant for a call the first does."""
        made = Injection(fault, when, times)
        self._injections.append(made)
        return made

    def withhold(self, which: Withheld) -> None:
        """Keep lines of watches, of those that are open too, from who watches."""
        self._withheld.append(which)

    def hang_up(self) -> None:
        """Reset all connections that are open, watches too: who had them asks anew."""
        self._loop.call_soon_threadsafe(self._hang_up)

    def heal(self) -> None:
        """End all faults."""
        self._injections = []
        self._withheld = []

    def withholds(self, call: Call, line: bytes) -> bool:
        """Whether a line of a watch is kept from who watches."""
        rules = self._withheld
        return bool(rules) and any(rule(call, json.loads(line)) for rule in rules)

    @contextlib.asynccontextmanager
    async def ask(self, request: web.Request, body: bytes) -> Any:
        """The API server's answer to a request, as it comes."""
        async with self._session.request(
            request.method,
            self._upstream + request.raw_path,
            headers=_passed_on(request.headers),
            data=body or None,
            allow_redirects=False,
        ) as answer:
            yield answer

    async def _start(self) -> None:
        trusted = ssl.create_default_context(cafile=str(self._pki / "ca.crt"))
        connector = aiohttp.TCPConnector(ssl=trusted, limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False, read_bufsize=2**22)
        )
        # Who hangs up is asked for no more, or open watches would outlive everybody.
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        own.load_cert_chain(self._pki / "apiserver.crt", self._pki / "apiserver.key")
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=own).start()
        self._port = runner.addresses[0][1]

    async def _stop(self) -> None:
        await self._stack.aclose()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    def _hang_up(self) -> None:
        for exchange in tuple(self._open):
            exchange.reset()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = Call.of(request.method, request.path, request.query, request.content_type)
        exchange = Exchange(call, request, await request.read(), self)
        self.calls.append(call)
        injection = self._meant_for(call)
        self._open.add(exchange)
        try:
            await (injection.fault(exchange) if injection else exchange.pass_on())
        except (aiohttp.ClientError, ConnectionError):
            # The API server is not there, or the caller has gone: neither hears more of the other.
            exchange.reset()
        finally:
            self._open.discard(exchange)
        return exchange.response

    def _meant_for(self, call: Call) -> Injection | None:
        for injection in self._injections:
            if injection.left != 0 and injection.when(call):
                injection.left = None if injection.left is None else injection.left - 1
                injection.met.append(call)
                return injection
        return None


def _passed_on(headers: Any) -> CIMultiDict[str]:
    kept = CIMultiDict(headers)
    for name in _HOP_BY_HOP:
        kept.popall(name, None)
    return kept
