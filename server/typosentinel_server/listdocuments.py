"""Allow-lists and private names as people write them: YAML, read whole or refused whole with file, line and field."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any, Final, TypeVar

from typosentinel_server.document import Place, parse_document
from typosentinel_server.errors import ConfigurationInvalid, DomainError, did_you_mean, shown
from typosentinel_server.scan.context.allowlist import AllowEntry, AllowList
from typosentinel_server.scan.context.patterns import Pattern, parse_pattern
from typosentinel_server.scan.context.privatenames import PrivateNames
from typosentinel_server.scan.model import Ecosystem, parse_ecosystem
from typosentinel_server.scan.naming import parse_name

API_VERSION: Final = "typosentinel.io/v1alpha1"
ALLOW_LIST: Final = "AllowList"
PRIVATE_NAMES: Final = "PrivateNames"
MAX_BYTES = 2**20
MAX_MISTAKES = 20
MAX_REASON = 300
ENTRY_FIELDS = ("ecosystem", "name", "target", "reason", "expires")

T = TypeVar("T")


def parse_allow_list(content: bytes, where: str) -> AllowList:
    """An allow-list from the bytes of a document.

    Raises:
        ConfigurationInvalid: with one line `file:line: field: what is wrong` for each of the first 20 mistakes.
    """
    reader = _Reader(content, where, ALLOW_LIST, "entries")
    entries = [_entry(reader, place) for place in reader.items(("entries",))]
    reader.finish()
    return AllowList(entry for entry in entries if entry is not None)


def parse_private_names(content: bytes, where: str) -> PrivateNames:
    """Private names from the bytes of a document.

    Raises:
        ConfigurationInvalid: as `parse_allow_list`.
    """
    reader = _Reader(content, where, PRIVATE_NAMES, "names")
    patterns: list[Pattern] = []
    for key in reader.mapping(("names",)):
        ecosystem = reader.ecosystem(("names", key), key)
        for place in reader.items(("names", key)):
            pattern = reader.pattern(place, ecosystem) if ecosystem else None
            patterns += [pattern] if pattern else []
    reader.finish()
    return PrivateNames(patterns)


def _entry(reader: "_Reader", place: Place) -> AllowEntry | None:
    given = reader.mapping(place, ENTRY_FIELDS)
    for missing in (field for field in ("ecosystem", "name", "reason") if field not in given):
        reader.mistake(place, f"{missing} is missing")
    ecosystem = reader.ecosystem((*place, "ecosystem"), given.get("ecosystem"))
    pattern = reader.pattern((*place, "name"), ecosystem) if ecosystem and "name" in given else None
    reason = reader.text((*place, "reason"), MAX_REASON) if "reason" in given else None
    expires = _day(reader, (*place, "expires"), given.get("expires"))
    target = reader.text((*place, "target"), MAX_REASON) if "target" in given else None
    if ecosystem and target:
        reader.attempt((*place, "target"), lambda: parse_name(ecosystem, target))
    return AllowEntry(pattern, reason, expires, target) if pattern and reason else None


def _day(reader: "_Reader", place: Place, given: Any) -> date | None:
    if given is None and place not in reader:
        return None
    if isinstance(given, str):
        try:
            return date.fromisoformat(given)
        except ValueError:
            given = None
    if not isinstance(given, date) or isinstance(given, datetime):
        reader.mistake(place, "this is no date; write it as 2027-05-31, the last day on which the entry holds")
        return None
    return given


class _Reader:
    def __init__(self, content: bytes, where: str, kind: str, field: str) -> None:
        self._document = parse_document(content, where, MAX_BYTES)
        self._where = where
        self._mistakes: list[str] = []
        root = self.mapping((), ("apiVersion", "kind", field))
        for key, wanted in (("apiVersion", API_VERSION), ("kind", kind)):
            if root.get(key) != wanted:
                given = f"{shown(str(root[key]))} is not read here" if key in root else "it is missing"
                self.mistake((key,), f"{given}; allowed: {wanted}")
        if field not in root:
            self.mistake((field,), "it is missing")

    def __contains__(self, place: Place) -> bool:
        return place in self._document.lines

    def mistake(self, place: Place, what: str) -> None:
        field = ".".join(shown(p)[1:-1] if isinstance(p, str) else str(p) for p in place) or "document"
        self._mistakes.append(f"{self._where}:{self._document.line_of(place)}: {field}: {what}")

    def finish(self) -> None:
        if self._mistakes:
            more = len(self._mistakes) - MAX_MISTAKES
            told = [*self._mistakes[:MAX_MISTAKES], *([f"and {more} more"] if more > 0 else [])]
            raise ConfigurationInvalid("LIST_INVALID", "\n".join(told), "Correct the list; nothing of it was applied.")

    def mapping(self, place: Place, fields: tuple[str, ...] | None = None) -> dict[str, Any]:
        found = self._document.value_at(place) if place in self else {}
        if not isinstance(found, dict):
            self.mistake(place, f"this is no mapping{'; allowed: ' + ', '.join(fields) if fields else ''}")
            return {}
        for key in found if fields else ():
            if key not in (fields or ()):
                hint = f"{did_you_mean(key, fields or ())}Allowed: {', '.join(fields or ())}"
                self.mistake((*place, key), f"there is no such field. {hint}")
        return found

    def items(self, place: Place) -> Iterator[Place]:
        found = self._document.value_at(place) if place in self else []
        if not isinstance(found, list):
            self.mistake(place, "this is no list")
            return
        yield from ((*place, n) for n in range(len(found)))

    def text(self, place: Place, limit: int) -> str | None:
        found = self._document.value_at(place)
        if not isinstance(found, str) or not found.strip():
            self.mistake(place, "this is no text" if found is not None and found != "" else "it is empty")
        elif len(found) > limit:
            self.mistake(place, f"this has more than {limit} characters")
        elif not found.isprintable():
            self.mistake(place, "this has line breaks or invisible characters")
        else:
            return found
        return None

    def ecosystem(self, place: Place, given: Any) -> Ecosystem | None:
        if place not in self:
            return None
        if not isinstance(given, str):
            self.mistake(place, "an ecosystem is a text")
            return None
        return self.attempt(place, lambda: parse_ecosystem(given))

    def pattern(self, place: Place, ecosystem: Ecosystem) -> Pattern | None:
        given = self.text(place, MAX_REASON)
        return None if given is None else self.attempt(place, lambda: parse_pattern(ecosystem, given))

    def attempt(self, place: Place, parse: Callable[[], T]) -> T | None:
        try:
            return parse()
        except DomainError as error:
            self.mistake(place, f"{error.message}. {error.suggestion}")
            return None
