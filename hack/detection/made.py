"""Slips of our own making out of listed names, to learn from. Seeded, so always the same."""

import random
import string
from collections.abc import Callable, Iterator, Sequence

from typosentinel_server.scan import forms
from typosentinel_server.scan.keyboard import adjacent
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.naming import identity_of

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
        ecosystem: whose names these are.
        names: most popular first.
        count: how many pairs.
    """
    chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    listed = {identity_of(ecosystem, name) for name in names}
    kinds, odds = zip(*KINDS.items(), strict=True)
    made = 0
    while made < count:
        name = names[int(len(names) * chance.random() ** LEANING)]
        kept, held = _parts(ecosystem, name)
        in_owner = bool(held) and chance.random() < IN_OWNER
        if in_owner and chance.random() < ANOTHER_OWNER:
            slipped = _another_owner(ecosystem, name, held, chance)
        else:
            start, stop = (kept, kept + len(held)) if in_owner else (kept + len(held), len(name))
            if stop - start < SHORTEST:
                continue
            part = name[start:stop]
            for _ in range(2 if chance.random() < TWICE else 1):
                kind = chance.choices(kinds, odds)[0]
                places = [n for n in range(len(part)) if part[n].isalnum()]
                part = kind(part, chance.choice(places), chance) if places else part
            slipped = name[:start] + part + name[stop:]
        if identity_of(ecosystem, slipped) not in listed:
            made += 1
            yield slipped, name


def _parts(ecosystem: Ecosystem, name: str) -> tuple[int, str]:
    """How much of a name stays (a host's name, the mark of a scope), and the owner that follows."""
    owner = forms.owner(ecosystem, name)
    if not owner:
        return 0, ""
    kept = owner.find("/") + 1 if ecosystem is Ecosystem.GO else int(owner.startswith("@"))
    return kept, owner[kept:]


def _another_owner(ecosystem: Ecosystem, name: str, held: str, chance: random.Random) -> str:
    """The name with an owner that passes for the same: `btcsuite-go` for `btcsuite`, `com.apache` for `org.apache`.

    In npm it may be without any: `core-rest-pipeline` for `@azure/core-rest-pipeline`.
    """
    if ecosystem is Ecosystem.NPM and chance.random() < STRIPPED:
        return name.partition("/")[2]
    if ecosystem is Ecosystem.MAVEN and chance.random() < REVERSED:
        first, dot, rest = held.partition(".")
        other = chance.choice([o for o in ("com", "org", "io") if o != first]) + dot + rest
    else:
        other = held + chance.choice(OWNER_ENDINGS)
    return name.replace(held, other, 1)


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


def _capital(name: str, at: int, _chance: random.Random) -> str:
    return name[:1].upper() + name[1:] if at else name


TWICE = 0.15
# Slips in owners are rarer in the record than others, and worse: there anybody may publish.
IN_OWNER = 0.35
ANOTHER_OWNER = 0.4
REVERSED = 0.6
STRIPPED = 0.7
OWNER_ENDINGS = ("-go", "-io", "-org", "-dev", "s", "hq", "-labs", "-team")
KINDS: dict[Slip, float] = {
    _swap: 2, _drop: 2, _repeat: 2, _add: 2, _mistype: 2, _replace: 1, _look: 2, _punctuate: 2,
    _number: 0.5, _capital: 0.5,
}  # fmt: skip
