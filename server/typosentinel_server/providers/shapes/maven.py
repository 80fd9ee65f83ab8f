"""What Maven Central's search says of all versions of an artifact (`core=gav`)."""

from datetime import UTC, datetime
from typing import Any, Final

from typosentinel_server.providers.asking import Subject
from typosentinel_server.providers.gleaned import Failure, Gleaned, State, broken
from typosentinel_server.providers.picking import FIRST_PACKAGE, document, items, mapping, text

LAST_MILLISECOND: Final = 253_402_300_799_999


def search(body: bytes, asked: Subject) -> Gleaned:
    """The first release, where every version is on the page."""
    response = mapping(mapping(document(body), "the answer").get("response"), "response")
    rows = [mapping(row, "a row") for row in items(response.get("docs"), "docs")]
    if not rows:
        raise Failure(State.ABSENT, "no row has this name")
    for row in rows:
        if f"{text(row.get('g'), 'g')}:{text(row.get('a'), 'a')}" != asked.name:
            raise broken("it is about another package")
    whole = response.get("numFound") == len(rows)
    return Gleaned(first_release=min(map(_day, rows)) if whole else None)


def _day(row: dict[str, Any]) -> Any:
    at = row.get("timestamp")
    if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at <= LAST_MILLISECOND:
        raise broken("timestamp is no time")
    found = datetime.fromtimestamp(at // 1000, UTC).date()
    if found < FIRST_PACKAGE:
        raise broken("timestamp is no time")
    return found
