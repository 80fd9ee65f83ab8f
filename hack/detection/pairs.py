"""Print how many listed names each pair of ASCII look-alikes makes one: `python -m hack.detection.pairs`.

A pair that makes many popular names one makes many legitimate names look like popular ones too. The figures decide
which pairs the scanner's skeleton merges; docs/adr/0010-skeletons.md keeps them.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence

from typosentinel_server.errors import CorpusUnreadable
from typosentinel_server.scan.corpus import read_builtin
from typosentinel_server.scan.model import Ecosystem

CANDIDATES = (
    *(("1", "l"), ("i", "l"), ("|", "l"), ("0", "o"), ("rn", "m"), ("vv", "w"), ("5", "s"), ("3", "e")),
    *(("2", "z"), ("4", "a"), ("7", "t"), ("8", "b"), ("9", "g"), ("cl", "d"), ("q", "g"), ("j", "i"), ("ri", "n")),
    *(("u", "v"), ("nn", "m"), ("ci", "a")),
)
SHOWN = 4


def main() -> int:
    """Prints one line for each pair; returns the exit code."""
    lists = [names for ecosystem in Ecosystem if (names := listed(ecosystem))]
    print(f"{sum(map(len, lists)):,} names")
    for pair in CANDIDATES:
        groups = [group for names in lists for group in collisions(names, pair)]
        examples = ", ".join("/".join(group) for group in groups[:SHOWN])
        print(f"{pair[0]:>2} {pair[1]}  {sum(map(len, groups)):>3}  {examples}".rstrip())
    return 0


def listed(ecosystem: Ecosystem) -> Sequence[str]:
    """The popular names of one ecosystem as they are compared; empty where there is no built-in list."""
    try:
        return sorted({entry.name.text for entry in read_builtin(ecosystem).entries})
    except CorpusUnreadable:
        return ()


def collisions(names: Iterable[str], pair: tuple[str, str]) -> list[list[str]]:
    """Groups of different names that are one when the pair's first is written as its second."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[name.replace(*pair)].append(name)
    return [group for group in groups.values() if len(group) > 1]


if __name__ == "__main__":
    sys.exit(main())
