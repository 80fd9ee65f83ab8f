"""Peers that nobody should trust: silent listeners, certificates that nobody vouches for, names that flip."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from origin import Answer, Origin, http, says
from replicas import replica
from typosentinel_server.clock import Clock
from typosentinel_server.providers.gathering import Evidence
from typosentinel_server.providers.pins import system_lookup
from typosentinel_server.providers.witness import Witness
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.sections.cache import CacheSettings
from typosentinel_server.sections.providers import ProviderSettings

LOOPBACK = "127.0.0.1/32"
THING = orjson.dumps({"name": "thing", "time": {"created": "2018-02-03T04:05:06.789Z"}})


def registry(origin: Origin, host: str = "127.0.0.1", **more: object) -> dict[str, object]:
    """The configuration of one npm-shaped provider."""
    return {"ecosystem": "npm", "url": f"http://{host}:{origin.port}/{{name}}", **more}


def good(body: bytes = THING, **headers: str) -> Answer:
    """An answer as it should be, with a connection that stays open."""
    return says(http("200 OK", body, **headers))


@dataclass
class Trap:
    """A listener that nobody should connect to.

    Attributes:
        host: where it listens.
        port: the same.
        connections: how many came.
    """

    host: str
    port: int = 0
    connections: int = 0


@asynccontextmanager
async def trap(host: str = "127.0.0.1", port: int = 0, context: ssl.SSLContext | None = None) -> AsyncIterator[Trap]:
    """A listener that counts who connects, and answers nothing."""
    found = Trap(host)

    async def connection(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        writer.close()

    server = await asyncio.start_server(connection, host, port, ssl=context)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()


def self_signed(folder: Path, host: str) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    day = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(day)
        .not_valid_after(day + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@dataclass
class Names:
    """A resolver that gives each answer once, and the last one for ever.

    Attributes:
        answers: lists of addresses, or errors to raise.
        asked: hosts in order.
    """

    answers: list[list[str] | OSError]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str) -> list[str]:
        """The next answer."""
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, OSError):
            raise found
        return found


@asynccontextmanager
async def witness(
    clock: Clock, lookup: Any = system_lookup, notice: Any = None, **section: Any
) -> AsyncIterator[Witness]:
    """A witness with a section of the configuration, as the document would write it, and a cache as servers have it."""
    async with replica(CacheSettings(), clock) as caches:
        found = Witness(clock, caches.dear, notice or (lambda _: None), lookup)
        found.use(ProviderSettings.model_validate(section))
        try:
            yield found
        finally:
            await found.close()


async def heard(found: Witness, name: str = "thing", ecosystem: Ecosystem = Ecosystem.NPM) -> list[Evidence]:
    """What became of asking about one package."""
    return await found._gatherer.about(ecosystem, name)
