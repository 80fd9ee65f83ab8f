"""What cached things are called, and how names are picked: all of them, one, those of a pattern, those with a tag."""

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from typosentinel_server.errors import InvalidRequest, shown

MAX_NAME: Final = 512
MAX_PATTERN: Final = 256
MAX_TAG: Final = 128
MAX_TAGS: Final = 16
RESERVED: Final = re.compile(r"[%* ]")
SAFE: Final = "/:@.-_~+!$&'(),;=?#[]"
TEXT: Final = re.compile(r"[!-~]+(?: [!-~]+)*")


class Kind(StrEnum):
    """How an invalidation picks what it is about."""

    ALL = "all"
    KEY = "key"
    PATTERN = "pattern"
    TAG = "tag"


LIMITS: Final = {Kind.ALL: 0, Kind.KEY: MAX_NAME, Kind.PATTERN: MAX_PATTERN, Kind.TAG: MAX_TAG}


def evidence_name(source: str, ecosystem: str, package: str) -> str:
    """The name of what one source says of one package, such as `evidence/registry/PyPI/requests`."""
    return _bounded(f"evidence/{source}/{ecosystem}/", package)


def verdict_name(ecosystem: str, package: str) -> str:
    """The name of what a package's name alone says, such as `verdict/PyPI/requests`."""
    return _bounded(f"verdict/{ecosystem}/", package)


def hashed_name(kind: str, request: bytes) -> str:
    """The name of the answer to a whole request, such as `batch/` and the SHA-256 of its normalised form in hex."""
    return f"{kind}/{hashlib.sha256(request).hexdigest()}"


def corpus_tag(ecosystem: str, version: str) -> str:
    """The tag of what rests on one version of one list."""
    return f"corpus/{ecosystem}/{version}"


def _bounded(prefix: str, package: str) -> str:
    # Most names of packages can stand as they are; foreign letters are written as in addresses.
    written = package if TEXT.fullmatch(package) and not RESERVED.search(package) else quote(package, safe=SAFE)
    if len(prefix) + len(written) > MAX_NAME:
        written = f"sha256:{hashlib.sha256(package.encode()).hexdigest()}"
    return prefix + written


def check(kind: Kind, text: str) -> None:
    """Raises InvalidRequest where the text cannot be a name, pattern or tag."""
    limit = LIMITS[kind]
    if kind is Kind.ALL and not text:
        return
    if len(text) > limit or not TEXT.fullmatch(text):
        raise InvalidRequest(
            "INVALID_REQUEST",
            f"{shown(text)} is no {kind} of the cache",
            f"A {kind} is printable ASCII of 1 to {limit} characters, such as evidence/registry/PyPI/requests.",
            http_hint=422,
        )


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern in which `*` stands for any text, also for none. Takes time in proportion to the name's length.

    Attributes:
        text: the pattern.
    """

    text: str
    parts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Cuts the pattern at its stars."""
        object.__setattr__(self, "parts", tuple(self.text.split("*")))

    def begins_like(self, prefix: str) -> bool:
        """Whether names that begin with this can be of this form."""
        first = self.parts[0]
        return first.startswith(prefix) or (len(self.parts) > 1 and prefix.startswith(first))

    def matches(self, name: str) -> bool:
        """Whether a name is of this form. Each piece is taken where it comes first: no other choice finds more."""
        first, *middle = self.parts
        if not middle:
            return name == first
        last = middle.pop()
        if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
            return False
        place, end = len(first), len(name) - len(last)
        for part in middle:
            found = name.find(part, place, end)
            if found < 0:
                return False
            place = found + len(part)
        return True
