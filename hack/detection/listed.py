"""Which names of a bench are on lists other than the bench's own, and what that does to its labels."""

import csv
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from hack.detection.runs import Row
from typosentinel_server.errors import DomainError
from typosentinel_server.scan.corpus import Corpus
from typosentinel_server.scan.model import ALIASES, Ecosystem, parse_ecosystem
from typosentinel_server.scan.naming import parse_name

ATTACK = "1"

Listed = Callable[[str, str], bool]


def on(corpora: Iterable[Corpus]) -> Listed:
    """A test whether a name, given with its ecosystem, is on one of these lists."""
    identities = {corpus.ecosystem: {entry.name.identity for entry in corpus.entries} for corpus in corpora}

    def listed(ecosystem: str, name: str) -> bool:
        try:
            known = parse_ecosystem(ecosystem)
            return parse_name(known, name).identity in identities.get(known, ())
        except DomainError:
            return False

    return listed


def relisted(rows: Iterable[Row], listed: Listed) -> list[dict[str, str]]:
    """The rows with `target_listed` said anew for each attack."""
    return [
        {**row, "target_listed": "1" if listed(row["ecosystem"], row["target"]) else "0"}
        if row["label"] == ATTACK
        else dict(row)
        for row in rows
    ]


def unseen(rows: Iterable[Row], listed: Listed, ecosystems: Collection[Ecosystem]) -> list[Row]:
    """The rows that a scan has to judge: of ecosystems that have a list, without names that are on it."""
    return [
        row
        for row in rows
        if not listed(row["ecosystem"], row["name"]) and ALIASES.get(row["ecosystem"].lower()) in ecosystems
    ]


def write(rows: Sequence[Row], path: Path) -> Path:
    """Write rows as a bench of their own; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
