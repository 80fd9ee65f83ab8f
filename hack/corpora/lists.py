"""From the contents of the sources to ranked names. Every function is pure."""

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from typosentinel_server.scan.corpus import KNOWN, PROTECTED, TARGET

PROPERTY = re.compile(r"\$\{([^}]+)\}")
QUOTED = re.compile(r"""^\s+'([^']+)',?$""", re.MULTILINE)
RUST = re.compile(r"librust-(.+)-dev")
VERSIONED = re.compile(r"(.+)-(\d+(?:\.\d+)*)")


class Row(NamedTuple):
    """One popular name; rank None where nothing orders it, trusted False where nobody vouches for the list."""

    rank: int | None
    name: str
    protected: bool
    trusted: bool = True

    @property
    def tier(self) -> str:
        """The tier as lists have it."""
        if not self.trusted:
            return TARGET
        return PROTECTED if self.protected else KNOWN


def ranked(names: Iterable[str], protected: int) -> list[Row]:
    """Rows in the order given, the first `protected` of them protected."""
    return [Row(n, name, n <= protected) for n, name in enumerate(dict.fromkeys(names), start=1)]


def unordered(names: Iterable[str], protected: Iterable[str]) -> list[Row]:
    """Rows without a rank, by name."""
    kept = frozenset(protected)
    return [Row(None, name, name in kept) for name in sorted(set(names))]


def guarddog_list(content: bytes) -> tuple[list[str], str]:
    """The names of one of guarddog's lists in its order, and when it was drawn up (ISO 8601)."""
    found = json.loads(content)
    created = datetime.fromtimestamp(found["downloaded_timestamp"], UTC)
    return found["packages"], created.isoformat().replace("+00:00", "Z")


def javascript_array(content: bytes) -> list[str]:
    """The strings of a module that is one array of single-quoted strings, one a line."""
    return QUOTED.findall(content.decode("utf-8"))


def npm_rows(by_downloads: list[str], others: list[str], protected: int) -> list[Row]:
    """Names ranked by downloads; those that only other lists hold follow without a rank."""
    rows = ranked(by_downloads, protected)
    held = {row.name for row in rows}
    return rows + [Row(None, name, protected=False) for name in sorted(set(others) - held)]


def bom_coordinates(pom: bytes) -> set[str]:
    """The coordinates group:artifact that a bill of materials manages, those with open properties left out."""
    root = ET.fromstring(pom)  # noqa: S314 - the bytes are pinned by hash
    properties = {node.tag.rpartition("}")[2]: node.text or "" for node in root.iterfind("{*}properties/*")}
    found = set()
    for dependency in root.iterfind("{*}dependencyManagement/{*}dependencies/{*}dependency"):
        parts = (dependency.findtext("{*}groupId", ""), dependency.findtext("{*}artifactId", ""))
        coordinate = ":".join(PROPERTY.sub(lambda m: properties.get(m[1], m[0]), part.strip()) for part in parts)
        if "$" not in coordinate:
            found.add(coordinate)
    return found


def maven_rows(boms: Iterable[set[str]]) -> list[Row]:
    """Every managed coordinate; those that two bills of materials agree on are protected."""
    count = Counter(coordinate for bom in boms for coordinate in bom)
    return unordered(count, (coordinate for coordinate, times in count.items() if times > 1))


def crate_rows(available: str, protected: int) -> list[Row]:
    """Crates by how many other crates in Debian depend on them.

    Args:
        available: package paragraphs as `apt-cache dumpavail` prints them.
        protected: how many of the first are protected.
    """
    crate_of: dict[str, str] = {}
    wanted: list[tuple[str, list[str]]] = []
    for fields in _paragraphs(available):
        crate = _crate(fields)
        if crate is None:
            continue
        for package in (fields["Package"], *_package_names(fields.get("Provides", ""))):
            crate_of[package] = crate
        wanted.append((crate, _package_names(fields.get("Depends", ""))))
    users: dict[str, set[str]] = defaultdict(set)
    for crate, packages in wanted:
        for package in packages:
            used = crate_of.get(package)
            if used is not None and used != crate:
                users[used].add(crate)
    return ranked(sorted(set(crate_of.values()), key=lambda crate: (-len(users[crate]), crate)), protected)


def _crate(fields: dict[str, str]) -> str | None:
    match = RUST.fullmatch(fields.get("Package", ""))
    if match is None or "+" in match[1]:
        return None
    versioned = VERSIONED.fullmatch(match[1])
    # Debian keeps old versions beside the current one under names such as librust-rand-0.7-dev.
    if versioned and f"{fields['Version']}.".startswith(f"{versioned[2]}."):
        return versioned[1]
    return match[1]


def _paragraphs(available: str) -> Iterator[dict[str, str]]:
    for paragraph in available.split("\n\n"):
        if paragraph.startswith("Package: librust-"):
            lines = (line.partition(": ") for line in paragraph.splitlines() if not line.startswith(" "))
            yield {key: value for key, _, value in lines}


def _package_names(relation: str) -> list[str]:
    return [part.split()[0].partition(":")[0] for part in re.split(r"[,|]", relation) if part.strip()]
