"""Reading a stranger's JSON: what a registry answers for must be of the right type, or the whole answer is broken.

What a publisher writes himself (links, names of authors) is read leniently: a squatter must not be able to make the
evidence against him unreadable by what he writes into it.
"""

from datetime import UTC, date, datetime
from typing import Any, Final

import orjson

from typosentinel_server.providers.gleaned import broken
from typosentinel_server.scan.context.metadata import repository_owner

FIRST_PACKAGE: Final = date(1990, 1, 1)
# A document of four megabytes with all versions of a package has some forty thousand.
MAX_CONTAINERS: Final = 100_000
MAX_DOWNLOADS: Final = 10**12
MAX_MAINTAINERS: Final = 200
MAX_ACCOUNT: Final = 200
MAX_LINK: Final = 500
MAX_TIME: Final = 40


def document(body: bytes) -> Any:
    """The content of a JSON document; orjson bounds its depth and takes neither NaN nor what is not UTF-8.

    The collector of garbage looks at lists and mappings again and again while they are made: a million of them, in four
    megabytes, would hold up every other scan for half a second.
    """
    if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS:
        raise broken(f"it has more than {MAX_CONTAINERS} lists and mappings")
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise broken("it is no JSON") from error


def mapping(value: Any, what: str) -> dict[str, Any]:
    """A mapping; Failure where it is none."""
    if not isinstance(value, dict):
        raise broken(f"{what} is no mapping")
    return value


def items(value: Any, what: str) -> list[Any]:
    """A list, empty where there is nothing; Failure where it is something else."""
    return [] if value is None else rows(value, what)


def rows(value: Any, what: str) -> list[Any]:
    """A list; Failure where it is none."""
    if not isinstance(value, list):
        raise broken(f"{what} is no list")
    return value


def text(value: Any, what: str) -> str:
    """A text; Failure where it is none."""
    if not isinstance(value, str):
        raise broken(f"{what} is no text")
    return value


def count(value: Any, what: str) -> int | None:
    """A number of downloads, None where there is none; Failure where it is something else."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_DOWNLOADS:
        raise broken(f"{what} is no number of downloads")
    return value


def day(value: Any, what: str) -> date | None:
    """The day, in UTC, of a time as RFC 3339 writes it; None where there is none, or one from before all packages."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_TIME:
        raise broken(f"{what} is no time")
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise broken(f"{what} is no time") from error
    try:
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError as error:
        raise broken(f"{what} is no time") from error
    return found.date() if found.date() >= FIRST_PACKAGE else None


def accounts(values: list[Any], what: str) -> frozenset[str]:
    """Names of accounts, at most 200; Failure where one is no text of at most 200 characters."""
    if len(values) > MAX_MAINTAINERS:
        raise broken(f"{what} has more than {MAX_MAINTAINERS} accounts")
    names = {text(value, what) for value in values}
    if any(len(name) > MAX_ACCOUNT for name in names):
        raise broken(f"{what} has an account with more than {MAX_ACCOUNT} characters")
    return frozenset(name for name in names if name.strip())


def link(*values: Any) -> str | None:
    """The first that is a repository's address with an owner. Publishers write these, so anything may stand there."""
    for value in values:
        if isinstance(value, str) and 0 < len(value) <= MAX_LINK and repository_owner(value.strip()):
            return value.strip()
    return None
