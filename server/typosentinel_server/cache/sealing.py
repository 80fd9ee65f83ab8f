"""Sealing what is stored elsewhere: AES-256-GCM, keys known by the beginning of their hash."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
ID_BYTES: Final = 4
NONCE_BYTES: Final = 12
MAX_KEYS: Final = 16


class NotOurs(Exception):
    """No key that is known opens this."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals with one key and opens with several, so that keys can be changed while records of the old one are about.

    Attributes:
        current: the id of the key that seals.
        ciphers: by id, all keys.
        random: gives so many random bytes.
    """

    current: bytes
    ciphers: Mapping[bytes, AESGCM]
    random: Callable[[int], bytes]

    def close(self, plain: bytes, bound_to: bytes) -> bytes:
        """Nonce and ciphertext; what it is bound to has to be given again to open it."""
        nonce = self.random(NONCE_BYTES)
        return nonce + self.ciphers[self.current].encrypt(nonce, plain, bound_to)

    def open(self, key_id: bytes, sealed: bytes, bound_to: bytes) -> bytes:
        """What was sealed. Raises NotOurs."""
        cipher = self.ciphers.get(key_id)
        if cipher is None:
            raise NotOurs
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError) as error:
            raise NotOurs from error


def parse_keys(text: bytes, random: Callable[[int], bytes]) -> Seal:
    """A seal from the content of a key file: one key a line, 32 bytes in base64; the first one seals, all open.

    Raises:
        ValueError: there is no key, or too many, or one is not of that form. The message holds nothing of it.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not 1 <= len(lines) <= MAX_KEYS:
        raise ValueError(f"a key file has 1 to {MAX_KEYS} lines with one key each; this one has {len(lines)}")
    keys = [_key(line, n) for n, line in enumerate(lines, 1)]
    ciphers = {hashlib.sha256(key).digest()[:ID_BYTES]: AESGCM(key) for key in keys}
    return Seal(hashlib.sha256(keys[0]).digest()[:ID_BYTES], ciphers, random)


def _key(line: bytes, number: int) -> bytes:
    try:
        key = base64.b64decode(line, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"line {number} is no key: a key is {KEY_BYTES} bytes in base64, such as openssl rand prints")
    return key
