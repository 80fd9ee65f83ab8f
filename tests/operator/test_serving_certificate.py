"""The certificate that the webhook serves with, on real sockets."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

import certified
from typosentinel_operator.servingcertificate import ServingCertificate
from typosentinel_operator.telemetry import make_webhook_telemetry

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[bytes], Coroutine[Any, Any, Streams]]


@asynccontextmanager
async def serving(certificate: ServingCertificate) -> AsyncIterator[Connect]:
    """A server that echoes lines by TLS, and how to connect to it, trusting a bundle."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, certified.ADDRESS, 0, ssl=certificate.context)
    port = server.sockets[0].getsockname()[1]
    opened: list[asyncio.StreamWriter] = []

    async def connect(bundle: bytes) -> Streams:
        reader, writer = await asyncio.open_connection(certified.ADDRESS, port, ssl=certified.trusting(bundle))
        opened.append(writer)
        return reader, writer

    yield connect
    for writer in opened:
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()


async def echoed(streams: Streams) -> bytes:
    """One line there and back."""
    reader, writer = streams
    writer.write(b"hello\n")
    await writer.drain()
    return await reader.readline()


@pytest.fixture
def registry() -> CollectorRegistry:
    """The webhook's figures."""
    return CollectorRegistry()


@pytest.fixture
def certificate(tmp_path: Path, registry: CollectorRegistry) -> ServingCertificate:
    """A certificate that follows files in this folder, of which there are none yet."""
    return ServingCertificate(tmp_path, make_webhook_telemetry(registry), time.monotonic)


async def test_a_changed_certificate_is_taken_up_and_open_connections_stay(
    certificate: ServingCertificate, tmp_path: Path
) -> None:
    """The API server keeps its connections for long; none is dropped for a renewal."""
    before, old = certified.fresh()
    after, new = certified.fresh()
    certified.mount(before, tmp_path)
    certificate.look()
    async with serving(certificate) as connect:
        first = await connect(old)
        certified.mount(after, tmp_path)
        certificate.look()
        assert await echoed(await connect(new)) == b"hello\n"
        assert await echoed(first) == b"hello\n"
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(old)


async def test_without_a_certificate_a_handshake_fails_and_nothing_else(
    certificate: ServingCertificate, tmp_path: Path
) -> None:
    """It is served as soon as it is there."""
    data, bundle = certified.fresh()
    async with serving(certificate) as connect:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await connect(bundle)
        certified.mount(data, tmp_path)
        certificate.look()
        assert await echoed(await connect(bundle)) == b"hello\n"


async def test_halves_that_do_not_belong_together_leave_the_one_in_use(
    certificate: ServingCertificate, tmp_path: Path, registry: CollectorRegistry
) -> None:
    """Whoever writes files one after the other is caught in between; it is told once, and mended by itself."""
    (before, bundle), (after, _) = certified.fresh(), certified.fresh()
    certified.mount(before, tmp_path)
    certificate.look()
    expires = certificate.expires
    certified.mount(before | {"tls.key": after["tls.key"]}, tmp_path)
    for _again in range(3):
        certificate.look()
    async with serving(certificate) as connect:
        assert await echoed(await connect(bundle)) == b"hello\n"
    assert certificate.expires == expires
    loads = "typosentinel_webhook_certificate_loads_total"
    assert registry.get_sample_value(loads, {"result": "refused"}) == 1
    certified.mount(after, tmp_path)
    certificate.look()
    assert registry.get_sample_value(loads, {"result": "taken"}) == 2


async def test_what_has_not_changed_is_not_loaded_again(
    certificate: ServingCertificate, tmp_path: Path, registry: CollectorRegistry
) -> None:
    """A look each second costs two calls to the system."""
    certified.mount(certified.fresh()[0], tmp_path)
    for _again in range(5):
        certificate.look()
    assert registry.get_sample_value("typosentinel_webhook_certificate_loads_total", {"result": "taken"}) == 1
    assert certificate.expires is not None
    told = registry.get_sample_value("typosentinel_webhook_certificate_expiry_timestamp_seconds")
    assert told == certificate.expires.timestamp()
