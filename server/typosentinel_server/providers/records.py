"""Evidence as bytes, to keep in caches: what comes out of one is checked like a stranger's word."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from typosentinel_server.providers.gleaned import Gleaned, broken
from typosentinel_server.providers.picking import accounts, count, document, items, link, mapping, text
from typosentinel_server.scan.context.malware import Record

FORM: Final = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """Evidence and when it was fetched, in seconds since 1970."""

    gleaned: Gleaned
    at: float


def pack(gleaned: Gleaned, at: float) -> bytes:
    """Evidence as bytes; the same evidence gives the same bytes."""
    malware = gleaned.malware
    return orjson.dumps(
        {
            "form": FORM,
            "at": at,
            "firstRelease": gleaned.first_release,
            "downloads": gleaned.downloads,
            "downloadsEver": gleaned.downloads_ever,
            "maintainers": sorted(gleaned.maintainers),
            "repository": gleaned.repository,
            "vulnerabilities": gleaned.vulnerabilities,
            "malware": malware
            and {
                "versions": None if malware.versions is None else sorted(malware.versions),
                "source": malware.source,
            },
        }
    )


def unpack(content: bytes) -> Kept:
    """Evidence from bytes. Raises Failure where they are none."""
    kept = mapping(document(content), "the record")
    at = kept.get("at")
    if kept.get("form") != FORM or not isinstance(at, float | int):
        raise broken("the record is none")
    day = kept.get("firstRelease")
    try:
        first_release = None if day is None else date.fromisoformat(text(day, "firstRelease"))
    except ValueError as error:
        raise broken("the record is none") from error
    return Kept(
        Gleaned(
            first_release,
            count(kept.get("downloads"), "downloads"),
            count(kept.get("downloadsEver"), "downloadsEver"),
            accounts(items(kept.get("maintainers"), "maintainers"), "maintainers"),
            link(kept.get("repository")),
            tuple(text(one, "an id") for one in items(kept.get("vulnerabilities"), "vulnerabilities")),
            _malware(kept.get("malware")),
        ),
        float(at),
    )


def _malware(kept: Any) -> Record | None:
    if kept is None:
        return None
    record = mapping(kept, "malware")
    versions = record.get("versions")
    return Record(
        None if versions is None else frozenset(text(one, "a version") for one in items(versions, "versions")),
        text(record.get("source"), "source"),
    )
