"""The certificate that the webhook serves with: it follows its files, and no connection is dropped for that."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from cryptography import x509

from typosentinel_operator import names
from typosentinel_operator.errors import UnusableCertificate
from typosentinel_operator.telemetry import WebhookTelemetry

if TYPE_CHECKING:
    from datetime import datetime

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0

_Signature = tuple[tuple[int, int, int], ...]


class ServingCertificate:
    """One certificate, and the context of the listening socket that it is served by.

    Connections that are open keep the certificate of their beginning; each handshake gets the one of the moment. It is
    loaded into a context of its own, so that files which do not belong together leave the one in use as it is.

    Args:
        folder: where tls.crt and tls.key are.
        telemetry: is told when it ends.
        clock: monotonic seconds, for the sign of life.
    """

    def __init__(self, folder: Path, telemetry: WebhookTelemetry, clock: Callable[[], float]) -> None:
        self._files = (folder / names.SERVING_CERTIFICATE_KEY, folder / names.SERVING_PRIVATE_KEY)
        self._telemetry = telemetry
        self._clock = clock
        self._current: ssl.SSLContext | None = None
        self._seen: _Signature | None = None
        self._said = ""
        self.expires: datetime | None = None
        self.looked = clock()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.sni_callback = self._choose

    async def follow(self) -> None:
        """Look at the files again and again, and take up what has changed."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Take the files up if they have changed and can be used; what is in use stays otherwise."""
        self.looked = self._clock()
        try:
            seen = self._signature()
            if seen == self._seen:
                return
            self._take()
        except UnusableCertificate as error:
            # At each look until it is mended: files may be half written.
            self._seen = None
            if str(error) != self._said:
                self._said = str(error)
                self._telemetry.certificate_loads.labels("refused").inc()
                log.warning("certificate not taken; the one in use stays", reason=self._said)
            return
        self._seen, self._said = seen, ""

    def age(self) -> float:
        """Seconds since the last look."""
        return self._clock() - self.looked

    def _signature(self) -> _Signature:
        try:
            return tuple((found.st_mtime_ns, found.st_ino, found.st_size) for found in map(Path.stat, self._files))
        except OSError as error:
            raise UnusableCertificate(f"{error.filename}: {error.strerror}") from None

    def _take(self) -> None:
        certificate, key = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(certificate, key)
            leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        except (OSError, ValueError) as error:
            raise UnusableCertificate(f"{certificate}, {key}: {error}") from None
        self._current, self.expires = context, leaf.not_valid_after_utc
        self._telemetry.certificate_expiry.set(self.expires.timestamp())
        self._telemetry.certificate_loads.labels("taken").inc()
        log.info("certificate taken", expires=self.expires.isoformat())

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> int | None:
        if self._current is None:
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        connection.context = self._current
        return None
