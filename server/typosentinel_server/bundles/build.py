"""Making a bundle out of lists that somebody has: one name a line, or CSV with a column called name."""

import csv
import hashlib
import lzma
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from typosentinel_server.bundles import manifest
from typosentinel_server.bundles.errors import DAMAGED, TOO_LARGE, refused
from typosentinel_server.bundles.rows import Row, identity_of, rank_of, render, table, tier_of
from typosentinel_server.scan.corpus import FILE_STEMS, KNOWN, MAX_BYTES, MAX_NAMES, PROTECTED
from typosentinel_server.scan.model import Ecosystem

DEFAULT_SHARE: Final = 33
COMMENT: Final = "#"
# Rows between two words about progress.
STEP: Final = 1000


@dataclass(frozen=True, slots=True)
class Material:
    """What one list is made from.

    Attributes:
        ecosystem: whose names these are.
        source: the file's name, for the manifest and messages.
        content: its bytes, UTF-8, plain or xz.
        ordered: whether the order of the lines, or the ranks, mean anything.
        partial: whether it holds a part of the popular names only.
    """

    ecosystem: Ecosystem
    source: str
    content: bytes
    ordered: bool = True
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """One list as it was made.

    Attributes:
        material: what it was made from.
        rows: by rank, those without one last.
        duplicates: names left out because the list had them before, perhaps in another spelling.
        refused: names left out because the registry could not hold them, the first few.
        refused_count: how many those are.
        unwanted: names left out because somebody decided so, by the form under which the registry knows them.
        protected: how the protected names were chosen, in words.
    """

    material: Material
    rows: tuple[Row, ...]
    duplicates: int
    refused: tuple[str, ...]
    refused_count: int
    unwanted: frozenset[str]
    protected: str


def make(material: Material, share: int | None, advance: Callable[[int], None], unwanted: Container[str] = ()) -> Made:
    """One list.

    Args:
        material: what it is made from.
        share: percent of the ranked names that are protected, the most popular ones; None: what the material says
            in a column called tier, else `DEFAULT_SHARE`. Where nothing is ranked, all are protected.
        advance: is told how many rows were just worked through.
        unwanted: names to leave out, in the form under which the registry knows them.

    Raises:
        CorpusUnreadable: nothing that is left is a name that the registry allows, or it is too long.
    """
    where = material.source
    kept: dict[str, Row] = {}
    duplicates, no_names, dropped = 0, [], set()
    text = _text(material)
    for count, (name, rank, tier) in enumerate(_given(material, text), start=1):
        identity = identity_of(material.ecosystem, name)
        if identity is None:
            no_names.append(name)
        elif identity in unwanted:
            dropped.add(identity)
        elif identity in kept:
            duplicates += 1
        else:
            kept[identity] = Row(name, identity, rank, tier)
        if count > MAX_NAMES:
            raise refused(TOO_LARGE, where, f"it has more than {MAX_NAMES} rows", "Leave out the least popular ones.")
        if count % STEP == 0:
            advance(STEP)
    if not kept:
        why = f"none of its {len(no_names) + len(dropped)} rows is a name that {material.ecosystem} allows"
        if dropped:
            why += " and that is wanted"
        raise refused(DAMAGED, where, why, "Give one name a line, or CSV with a column called name.")
    rows, words = _tiers(sorted(kept.values(), key=lambda row: (row.rank is None, row.rank or 0, row.identity)), share)
    return Made(material, rows, duplicates, tuple(no_names[:5]), len(no_names), frozenset(dropped), words)


def rows_in(material: Material) -> int:
    """About how many rows it has. Raises CorpusUnreadable."""
    return _text(material).count("\n")


def files(made: Iterable[Made], created: datetime) -> dict[str, bytes]:
    """The files of the bundle: the lists, xz-compressed, and the manifest that vouches for them."""
    found: dict[str, bytes] = {}
    corpora: dict[Ecosystem, Mapping[str, Any]] = {}
    for one in made:
        plain = render(one.rows)
        name = f"{FILE_STEMS[one.material.ecosystem]}.csv.xz"
        found[name] = lzma.compress(plain, preset=6)
        if len(plain) > MAX_BYTES:
            raise refused(TOO_LARGE, one.material.source, f"the list is larger than {MAX_BYTES} bytes")
        corpora[one.material.ecosystem] = {
            "file": name,
            "names": len(one.rows),
            "created": created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "sha256": hashlib.sha256(plain).hexdigest(),
            "order": "as given" if one.material.ordered else "none",
            "protected": one.protected,
            "partial": one.material.partial,
            "sources": [{"name": one.material.source, "sha256": hashlib.sha256(one.material.content).hexdigest()}],
        }
    found[manifest.MANIFEST] = manifest.render(corpora)
    return found


def _text(material: Material) -> str:
    try:
        return manifest.unpacked(material.content, material.source).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(DAMAGED, material.source, "it is not UTF-8", "Save it as UTF-8.") from error


def _given(material: Material, text: str) -> Iterator[tuple[str, int | None, str | None]]:
    """Name, rank and tier of each row."""
    columns = _columns(text)
    if "name" not in columns:
        names = (line.strip() for line in text.splitlines())
        for n, name in enumerate((name for name in names if name and not name.startswith(COMMENT)), start=1):
            yield name, n if material.ordered else None, None
        return
    for n, row in enumerate(table(text, material.source), start=1):
        rank = rank_of(row, material.source, n) if "rank" in columns else n
        yield (row["name"] or "").strip(), rank if material.ordered else None, tier_of(row)


def _columns(text: str) -> Sequence[str]:
    first = text.partition("\n")[0]
    try:
        return next(csv.reader([first]), [])
    except csv.Error:
        return []


def _tiers(rows: list[Row], share: int | None) -> tuple[tuple[Row, ...], str]:
    if share is None and any(row.tier for row in rows):
        return tuple(row._replace(tier=row.tier or KNOWN) for row in rows), "as given"
    ranked = sum(row.rank is not None for row in rows)
    if not ranked:
        return tuple(row._replace(tier=PROTECTED) for row in rows), "all"
    # Rounded up, so that a short list protects its first name.
    first = -(-ranked * (DEFAULT_SHARE if share is None else share) // 100)
    tiers = (PROTECTED if n < first else KNOWN for n in range(len(rows)))
    return tuple(row._replace(tier=tier) for row, tier in zip(rows, tiers, strict=True)), f"the first {first}"
