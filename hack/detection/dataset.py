"""The pairs of names that weights are fitted on: what the engine's checks see in labelled names.

Attacks come from three sources that count differently: those whose target a person named, those whose target was
inferred, and slips that we make ourselves out of listed names, so that ecosystems without a record of attacks are
learned too.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from zlib import crc32

from hack.detection.made import slips
from typosentinel_server.engines import Engines
from typosentinel_server.errors import NameRefused
from typosentinel_server.scan.engine import Engine, Suspect
from typosentinel_server.scan.evidence import Group
from typosentinel_server.scan.model import parse_ecosystem
from typosentinel_server.scan.naming import identity_of, parse_name

Row = Mapping[str, str]
FOLDS = 5
# How many names of its kind a row stands for: the bench holds a sample of these.
SAMPLED = {"tail_random": 1 / 0.3, "longtail_random": 1 / 0.4}
INFERRED = 0.1
MADE = 0.02
# Names that differ in punctuation alone are honest in the labels more often than not, because that is how near misses
# were looked for; attacks of the kind are of one registry. What we make keeps others from learning to let them pass.
MADE_OF_SAME_LETTERS = 0.2


@dataclass(frozen=True, slots=True)
class Labelled:
    """One name.

    Attributes:
        row: as the bench has it.
        fold: which fifth it is held out with; names with one target share it.
        attack: whether it is one.
        suspects: what the engine's checks find, nothing weighed.
        right: for each suspect whether it is the target.
        weights: for each suspect how many names the pair stands for; 0 keeps it out of the fit.
        known: whether the name is on the list, so that it is never judged.
    """

    row: Row
    fold: int
    attack: bool
    suspects: tuple[Suspect, ...]
    right: tuple[bool, ...]
    weights: tuple[float, ...]
    known: bool


def labelled(rows: Sequence[Row], engines: Engines) -> Iterator[Labelled]:
    """The rows with what the engines see in them; ecosystems that no engine serves are left out."""
    aimed = Counter(_aim(row) for row in rows if _named(row))
    for row in rows:
        ecosystem = parse_ecosystem(row["ecosystem"])
        engine = engines.get(ecosystem)
        if engine is not None:
            # Thirty attacks on one target are one campaign: they count for more than one, and for less than thirty.
            yield _labelled(row, engine, _weight(row) / (sqrt(aimed[_aim(row)]) if _named(row) else 1.0))


def _labelled(row: Row, engine: Engine, weight: float) -> Labelled:
    ecosystem = engine.ecosystem
    suspects: tuple[Suspect, ...] = ()
    known = False
    try:
        name = parse_name(ecosystem, row["name"])
    except NameRefused:
        pass
    else:
        known = engine.lists(name)
        suspects = () if known else tuple(engine.suspects(name))
    target = identity_of(ecosystem, row["target"]).lower()
    right = tuple(identity_of(ecosystem, s.target.name).lower() == target for s in suspects)
    grouped = repr((row["ecosystem"], row["target"] or row["name"]))
    fold, attack = crc32(grouped.encode()) % FOLDS, row["label"] == "1"
    # What an attack is not aimed at says nothing either way.
    weights = tuple(
        0.0 if attack and not aimed_at else _weight_of(suspect, row, weight)
        for suspect, aimed_at in zip(suspects, right, strict=True)
    )
    return Labelled(row, fold, attack, suspects, right, weights, known)


def _weight_of(suspect: Suspect, row: Row, weight: float) -> float:
    if row.get("quality") == "made" and suspect.group is Group.LETTERS:
        return MADE_OF_SAME_LETTERS
    return weight


def _aim(row: Row) -> tuple[str, str]:
    return row["ecosystem"], row["target"] if row["label"] == "1" else ""


def _named(row: Row) -> bool:
    return row["label"] == "1" and row.get("quality", "gold") == "gold"


def _weight(row: Row) -> float:
    if row["label"] == "1":
        if _named(row):
            return float(row.get("target_listed", "1") == "1")
        return MADE if row["quality"] == "made" else INFERRED
    return SAMPLED.get(row.get("kind", ""), 1.0)


def made(engines: Engines, each: int) -> list[Row]:
    """Slips of our own, so many for each ecosystem, the more popular names more often; the same at every run."""
    rows: list[Row] = []
    for engine in map(engines.get, engines.ecosystems):
        if engine is not None:
            for name, target in slips(engine.ecosystem, engine.names, each):
                ecosystem = engine.ecosystem.value
                rows.append({"ecosystem": ecosystem, "name": name, "target": target, "label": "1", "quality": "made"})
    return rows
