"""What differs between two bundles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from typosentinel_server.bundles.bundle import Bundle
from typosentinel_server.bundles.rows import Row, rows_of
from typosentinel_server.scan.corpus import PROTECTED, TARGET
from typosentinel_server.scan.model import Ecosystem


@dataclass(frozen=True, slots=True)
class Move:
    """A name that both lists hold at different ranks; None: without one."""

    name: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one list.

    Attributes:
        ecosystem: whose list.
        before, after: how many names it held and holds.
        added, removed: names, most popular first.
        moved: names that changed rank, the longest way first.
        newly_protected, no_longer_protected: names in both lists whose tier changed, or that came or went with it.
    """

    ecosystem: Ecosystem
    before: int
    after: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    moved: tuple[Move, ...]
    newly_protected: tuple[str, ...]
    no_longer_protected: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.moved or self.newly_protected or self.no_longer_protected)


def compare(before: Bundle, after: Bundle) -> tuple[Difference, ...]:
    """The differences, one for each ecosystem that either holds. Raises CorpusUnreadable."""
    held = {*before.ecosystems, *after.ecosystems}
    return tuple(_compare(e, _rows(before, e), _rows(after, e)) for e in Ecosystem if e in held)


def _rows(bundle: Bundle, ecosystem: Ecosystem) -> Mapping[str, Row]:
    if ecosystem not in bundle.ecosystems:
        return {}
    return rows_of(ecosystem, bundle.plain(ecosystem), f"{bundle.where} ({ecosystem})")


def _compare(ecosystem: Ecosystem, before: Mapping[str, Row], after: Mapping[str, Row]) -> Difference:
    moves = [
        Move(after[key].name, before[key].rank, after[key].rank)
        for key in before.keys() & after.keys()
        if before[key].rank != after[key].rank
    ]
    return Difference(
        ecosystem=ecosystem,
        before=len(before),
        after=len(after),
        added=_by_rank(after[key] for key in after.keys() - before.keys()),
        removed=_by_rank(before[key] for key in before.keys() - after.keys()),
        moved=tuple(sorted(moves, key=_way)),
        newly_protected=_by_rank(after[key] for key in _protected(after) - _protected(before)),
        no_longer_protected=_by_rank(before[key] for key in _protected(before) - _protected(after)),
    )


def _protected(rows: Mapping[str, Row]) -> set[str]:
    return {key for key, row in rows.items() if row.tier in {PROTECTED, TARGET}}


def _by_rank(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(row.name for row in sorted(rows, key=lambda row: (row.rank is None, row.rank or 0, row.identity)))


def _way(move: Move) -> tuple[bool, int, str]:
    if move.before is None or move.after is None:
        return True, 0, move.name
    return False, -abs(move.before - move.after), move.name
