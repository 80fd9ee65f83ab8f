"""Lists as rows of text, where they are made or compared rather than searched."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from typosentinel_server.bundles.errors import DAMAGED, refused
from typosentinel_server.errors import DomainError, shown
from typosentinel_server.scan.corpus import KNOWN, PROTECTED, TARGET, is_rank
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.naming import parse_name


class Row(NamedTuple):
    """One name of a list.

    Attributes:
        name: as it is written.
        identity: the form under which its registry knows it.
        rank: 1 is the most popular; None where nothing orders it.
        tier: "protected", "known", "target" (protected and not vouched for), or None where the list does not say.
    """

    name: str
    identity: str
    rank: int | None
    tier: str | None


def identity_of(ecosystem: Ecosystem, name: str) -> str | None:
    """The form under which a registry knows a name; None for what no list may hold."""
    try:
        parsed = parse_name(ecosystem, name)
    except DomainError:
        return None
    return parsed.identity if parsed.raw.isascii() else None


def table(text: str, where: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV with a header, as they are. Raises CorpusUnreadable."""
    try:
        yield from csv.DictReader(io.StringIO(text, newline=""))
    except csv.Error as error:
        raise refused(DAMAGED, where, str(error)) from error


def rank_of(row: dict[str, str], where: str, number: int) -> int | None:
    """The rank in a row, None where it is empty. Raises CorpusUnreadable, naming the row."""
    digits = (row.get("rank") or "").strip()
    if not digits:
        return None
    if not is_rank(digits):
        why = f"row {number} has the rank {shown(digits)}, which is no whole number from 1 on"
        raise refused(DAMAGED, where, why, "Ranks are whole numbers, 1 the most popular, or empty.")
    return int(digits)


def tier_of(row: dict[str, str]) -> str | None:
    """The tier in a row, None where it says none."""
    tier = (row.get("tier") or "").strip()
    return tier if tier in {PROTECTED, KNOWN, TARGET} else None


def rows_of(ecosystem: Ecosystem, plain: bytes, where: str) -> dict[str, Row]:
    """A list by identity, names that its registry refuses left out. Raises CorpusUnreadable."""
    try:
        text = plain.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(DAMAGED, where, "it is not UTF-8") from error
    found: dict[str, Row] = {}
    for n, row in enumerate(table(text, where), start=1):
        name = row.get("name") or ""
        identity = identity_of(ecosystem, name)
        if identity is not None:
            found.setdefault(identity, Row(name, identity, rank_of(row, where, n), tier_of(row)))
    return found


def render(rows: Iterable[Row]) -> bytes:
    """The list as it is written: rank, name, tier."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("rank", "name", "tier"))
    writer.writerows((row.rank or "", row.name, row.tier or KNOWN) for row in rows)
    return text.getvalue().encode()
