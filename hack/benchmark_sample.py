"""Write docs/examples/benchmark.csv: `python -m hack.benchmark_sample [--check]`.

Attacks are built-in popular names with a synthetic edit each; honest names are popular ones and made-up ones. It
shows how `typosentinel benchmark` works and says little about the world: real attacks are less tidy.
"""

import csv
import io
import random
import re
import sys
from collections.abc import Callable, Iterator

from hack.generated import ROOT, write_or_check
from typosentinel_server.errors import NameRefused
from typosentinel_server.scan.corpus import Corpus, on_board, read_builtin
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.naming import parse_name

OUT = ROOT / "docs" / "examples" / "benchmark.csv"
SEED = 20261121
EACH_ATTACK, EACH_LISTED, EACH_MADE_UP = 3, 8, 20
SHORTEST = 7
TOPICS = ("harvest", "lighthouse", "meadow", "orchard", "ferry", "glacier", "pottery", "sailing", "thicket", "violin")
THINGS = ("almanac", "bookings", "catalogue", "forecasts", "inventory", "ledger", "planner", "register", "timetable")
# The part that an attacker can choose: nobody else can publish under another's account or group.
OWNERS = {Ecosystem.GO: r"^[^/]+/([^/]+)", Ecosystem.MAVEN: r"^([^:]+)"}
KEYS = {"a": "s", "e": "r", "i": "o", "o": "p", "n": "m", "t": "y", "s": "d", "l": "k", "r": "t", "c": "v"}
LOOKS = {"l": "1", "o": "0", "m": "rn", "w": "vv"}

Edit = Callable[[str, int], str]
EDITS: dict[str, Edit] = {
    "transposition": lambda text, at: text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    "omission": lambda text, at: text[:at] + text[at + 1 :],
    "insertion": lambda text, at: text[:at] + "x" + text[at:],
    "repetition": lambda text, at: text[:at] + text[at] + text[at:],
    "substitution": lambda text, at: text[:at] + KEYS.get(text[at], text[at]) + text[at + 1 :],
    "delimiter": lambda text, at: text[:at] + "-" + text[at:],
    "homoglyph": lambda text, at: text[:at] + LOOKS.get(text[at], text[at]) + text[at + 1 :],
    "two-edits": lambda text, at: text[:at] + "x" + text[at + 1 : -1],
    "added-word": lambda text, _: text + "-helper",
}


def edited(name: str, ecosystem: Ecosystem, edit: Edit, chance: random.Random) -> str:
    """The name after one edit within the part that an attacker can choose; itself where there is no place for it."""
    place = re.search(OWNERS.get(ecosystem, r"^(.+)$"), name)
    if place is None or len(place[1]) < SHORTEST:
        return name
    at = chance.randrange(1, len(place[1]) - 2)
    if not place[1][at : at + 2].isalpha():
        return name
    return name[: place.start(1)] + edit(place[1], at) + name[place.end(1) :]


def attacks(corpus: Corpus, category: str, chance: random.Random) -> Iterator[list[str]]:
    """Rows of one category: names one edit away from popular ones, none of which is popular itself."""
    known = {entry.name.text for entry in corpus.entries}
    targets = [e.name.raw for e in corpus.entries if e.protected and not e.name.raw.startswith("@")]
    found = 0
    while found < EACH_ATTACK:
        target = chance.choice(targets)
        name = edited(target, corpus.ecosystem, EDITS[category], chance)
        try:
            text = parse_name(corpus.ecosystem, name).text
        except NameRefused:
            continue
        if text not in known:
            found += 1
            yield [corpus.ecosystem.value, name, target, "1", category]


def honest(corpus: Corpus, chance: random.Random) -> Iterator[list[str]]:
    """Rows of popular names, and of names that are nobody's."""
    for entry in chance.sample(corpus.entries, EACH_LISTED):
        yield [corpus.ecosystem.value, entry.name.raw, "", "0", "popular"]
    pairs = [(topic, thing) for topic in TOPICS for thing in THINGS]
    for topic, thing in chance.sample(pairs, EACH_MADE_UP):
        name = f"{topic}-{thing}"
        if corpus.ecosystem is Ecosystem.GO:
            name = f"github.com/{topic}/{thing}"
        elif corpus.ecosystem is Ecosystem.MAVEN:
            name = f"org.{topic}:{thing}"
        yield [corpus.ecosystem.value, name, "", "0", "made-up"]


def rendered() -> str:
    """The file."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    rows: list[list[str]] = []
    for ecosystem in on_board():
        corpus = read_builtin(ecosystem)
        for category in EDITS:
            rows += attacks(corpus, category, chance)
        rows += honest(corpus, chance)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([["ecosystem", "name", "target", "label", "category"], *rows])
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, {OUT: rendered()}))
