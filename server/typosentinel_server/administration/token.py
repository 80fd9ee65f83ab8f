"""The secret that opens the administrative routes: read from a file, and read again when the file changes."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typosentinel_server.errors import DomainError
from typosentinel_server.logs import Log

MIN_CHARACTERS: Final = 32
MAX_BYTES: Final = 4096
FINGERPRINT: Final = 12


class TokenRefused(DomainError):
    """The file holds nothing that may open the administrative routes."""

    http_hint = 500


@dataclass(frozen=True, slots=True)
class Token:
    """A token, of which only the hash is kept.

    Attributes:
        digest: SHA-256 of it.
        fingerprint: the first digits of that, by which the audit log knows whoever holds the token.
    """

    digest: bytes
    fingerprint: str


def digest(token: bytes) -> bytes:
    """What is compared in place of a token: always of the same length."""
    return hashlib.sha256(token).digest()


def read_token(path: Path) -> Token:
    """The token in a file; white space around it does not count.

    Raises:
        FileNotFoundError: there is no such file (yet).
        TokenRefused: it cannot be read, or holds no token of 32 printable ASCII characters or more.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    token = content.strip()
    if len(content) > MAX_BYTES:
        raise _refused(path, f"the file is larger than {MAX_BYTES} bytes")
    if len(token) < MIN_CHARACTERS:
        raise _refused(path, f"the token has {len(token)} characters, and needs {MIN_CHARACTERS} or more")
    if not all(0x21 <= byte <= 0x7E for byte in token):  # noqa: PLR2004 - the printable part of ASCII
        raise _refused(path, "the token holds something else than printable ASCII")
    found = digest(token)
    return Token(found, found.hex()[:FINGERPRINT])


def _refused(path: Path, reason: str) -> TokenRefused:
    return TokenRefused(
        "ADMIN_TOKEN_REFUSED",
        f"{path}: {reason}",
        "Write a token such as `openssl rand -hex 32` gives into the file, and nothing else.",
    )


class TokenKeeper:
    """Follows the file. A token that is no longer in it opens nothing any more, nor does a file that holds none.

    Args:
        path: the file.
        log: says what happened to it, and never what is in it.

    Raises:
        TokenRefused: the file is there and holds no token. One that is not there yet is waited for.
    """

    def __init__(self, path: Path, log: Log) -> None:
        self._path = path
        self._log = log
        self._complaint: str | None = None
        self._token: Token | None = None
        self.present = asyncio.Event()
        try:
            self._take(read_token(path))
        except FileNotFoundError:
            self._miss(f"{path}: there is no such file")

    def holder(self, given: str) -> str | None:
        """The fingerprint of a token that opens the routes; None for any other text."""
        shown = digest(given.encode("utf-8", "surrogateescape"))
        token = self._token
        # Compared by hashes of one length, and also where there is nothing to compare with.
        same = hmac.compare_digest(shown, token.digest if token else bytes(len(shown)))
        return token.fingerprint if token and same else None

    async def run(self, interval: float, also: Callable[[], None] = lambda: None) -> None:
        """Looks every `interval` seconds, for ever; `also` is called each time."""
        while True:
            await asyncio.sleep(interval)
            try:
                self._take(await asyncio.to_thread(read_token, self._path))
            except FileNotFoundError:
                self._miss(f"{self._path}: there is no such file")
            except TokenRefused as error:
                self._miss(error.message)
            also()

    def _take(self, token: Token) -> None:
        if self._token == token:
            return
        self._token, self._complaint = token, None
        self.present.set()
        self._log.write.info("administrative token taken", file=str(self._path), fingerprint=token.fingerprint)

    def _miss(self, complaint: str) -> None:
        self._token = None
        if complaint != self._complaint:
            self._complaint = complaint
            self._log.write.error("no administrative token, nobody gets in", reason=complaint)
