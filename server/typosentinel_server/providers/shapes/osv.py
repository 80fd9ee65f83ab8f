"""OSV's query: what is known against a package."""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from typosentinel_server.errors import DomainError
from typosentinel_server.providers.asking import Subject, same
from typosentinel_server.providers.gleaned import Gleaned, broken
from typosentinel_server.providers.picking import document, items, mapping, text
from typosentinel_server.scan.context.malware import Record, version_key
from typosentinel_server.scan.context.malwarefiles import is_endless
from typosentinel_server.scan.model import parse_ecosystem

MALWARE: Final = "MAL-"
MAX_ID: Final = 100
MAX_TOKEN: Final = 4096
MAX_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One page of what is known.

    Attributes:
        gleaned: what it says.
        token: with which the next page is asked for; None where this is the last.
    """

    gleaned: Gleaned
    token: str | None


def query(asked: Subject, token: str | None = None) -> bytes:
    """The question about a package, in all versions: which ones an advisory means is looked up here."""
    about: dict[str, Any] = {"package": {"ecosystem": asked.ecosystem.value, "name": asked.name}}
    if token is not None:
        about["page_token"] = token
    return orjson.dumps(about)


def page(body: bytes, asked: Subject) -> Page:
    """What one page says. Withdrawn records and those about other packages do not count."""
    content = mapping(document(body), "the answer")
    known = Gleaned()
    ids = []
    for value in items(content.get("vulns"), "vulns"):
        record = mapping(value, "a record")
        name = text(record.get("id"), "id")
        if not 0 < len(name) <= MAX_ID or not name.isascii() or not name.isprintable():
            raise broken("id is none")
        mine = [one for one in items(record.get("affected"), "affected") if _about(mapping(one, "affected"), asked)]
        if record.get("withdrawn") is not None or not mine:
            continue
        ids.append(name)
        if name.startswith(MALWARE):
            for affected in mine:
                known = known.or_else(Gleaned(malware=_malware(affected, name, asked)))
    token = content.get("next_page_token")
    if token is not None and (not isinstance(token, str) or len(token) > MAX_TOKEN):
        raise broken("next_page_token is none")
    return Page(known.or_else(Gleaned(vulnerabilities=tuple(dict.fromkeys(ids))[:MAX_SHOWN])), token or None)


def _about(affected: dict[str, Any], asked: Subject) -> bool:
    package = mapping(affected.get("package"), "package")
    try:
        ecosystem = parse_ecosystem(text(package.get("ecosystem"), "ecosystem").partition(":")[0])
    except DomainError:
        return False
    return ecosystem is asked.ecosystem and same(asked, text(package.get("name"), "name"))


def _malware(affected: dict[str, Any], source: str, asked: Subject) -> Record:
    ranges = [mapping(one, "a range") for one in items(affected.get("ranges"), "ranges")]
    for one in ranges:
        one["events"] = [mapping(event, "an event") for event in items(one.get("events"), "events")]
    if any(map(is_endless, ranges)):
        return Record(None, source)
    versions = [text(one, "a version") for one in items(affected.get("versions"), "versions")]
    return Record(frozenset(version_key(asked.ecosystem, one) for one in versions), source)
