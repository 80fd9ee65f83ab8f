"""Slips of our own making out of listed names, to learn from and to try the scanner with. Seeded, so always the same."""

import random
import string
from collections.abc import Callable, Iterator, Sequence

from typosentinel_server.scan import forms
from typosentinel_server.scan.keyboard import adjacent
from typosentinel_server.scan.model import Ecosystem

SEED = 1965  # the year of Levenshtein's paper
SHORTEST = 4
LOOKS = {"o": "0", "0": "o", "l": "1", "1": "l", "i": "l", "s": "5", "e": "3", "m": "rn"}
KEYS = {a: [b for b in string.ascii_lowercase if adjacent(a, b)] for a in string.ascii_lowercase + string.digits}
# More than one in a square-root-like fashion: squats lean on the popular, and nothing popular is safe.
LEANING = 1.5

Slip = Callable[[str, int, random.Random], str]


def slips(ecosystem: Ecosystem, names: Sequence[str], count: int) -> Iterator[tuple[str, str]]:
    """Pairs of a slip and the listed name that it was made of.

    Args:
        ecosystem: whose names these are; owners are left as they are.
        names: most popular first.
        count: how many pairs.
    """
    chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    listed = {name.lower() for name in names}
    kinds, odds = zip(*KINDS.items(), strict=True)
    made = 0
    while made < count:
        name = names[int(len(names) * chance.random() ** LEANING)]
        start = len(owner) + 1 if (owner := forms.owner(ecosystem, name)) else 0
        if len(name) - start < SHORTEST:
            continue
        slipped = name
        for _ in range(2 if chance.random() < TWICE else 1):
            kind = chance.choices(kinds, odds)[0]
            places = [n for n in range(start, len(slipped)) if slipped[n].isalnum()]
            slipped = kind(slipped, chance.choice(places), chance) if places else slipped
        if slipped.lower() not in listed:
            made += 1
            yield slipped, name


def _swap(name: str, at: int, _chance: random.Random) -> str:
    return name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :] if name[at + 1 : at + 2].isalnum() else name


def _drop(name: str, at: int, _chance: random.Random) -> str:
    return name[:at] + name[at + 1 :]


def _repeat(name: str, at: int, _chance: random.Random) -> str:
    return name[:at] + name[at] + name[at:]


def _add(name: str, at: int, chance: random.Random) -> str:
    return name[:at] + chance.choice(string.ascii_lowercase) + name[at:]


def _replace(name: str, at: int, chance: random.Random) -> str:
    return name[:at] + chance.choice(string.ascii_lowercase) + name[at + 1 :]


def _mistype(name: str, at: int, chance: random.Random) -> str:
    keys = KEYS.get(name[at].lower())
    return name[:at] + chance.choice(keys) + name[at + 1 :] if keys else name


def _look(name: str, at: int, _chance: random.Random) -> str:
    return name[:at] + LOOKS.get(name[at], name[at]) + name[at + 1 :]


def _punctuate(name: str, at: int, chance: random.Random) -> str:
    marks = [n for n in range(at, len(name)) if name[n] in "-_."]
    if marks:
        return name[: marks[0]] + chance.choice(("", "-", "_", ".")) + name[marks[0] + 1 :]
    return name[:at] + chance.choice("-_") + name[at:] if at else name


def _number(name: str, at: int, _chance: random.Random) -> str:
    return name[:-1] if at == len(name) - 1 and name.endswith("s") else name + "s"


TWICE = 0.15
KINDS: dict[Slip, float] = {
    _swap: 2, _drop: 2, _repeat: 2, _add: 2, _mistype: 2, _replace: 1, _look: 2, _punctuate: 2, _number: 0.5
}  # fmt: skip
