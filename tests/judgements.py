"""A program that judges many names with the lists on board and prints what was said, one line a name.

It is run on the sources and on what mypyc made of them.
"""

import random
import sys
from collections.abc import Iterator

from judging import builtin
from typosentinel_server.errors import DomainError
from typosentinel_server.scan import engine as room
from typosentinel_server.scan.model import Package

SEED = 20261122
EDITED = 400
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_./@:"
ODD = (
    "",
    " ",
    "-",
    "a",
    "@",
    "@/",
    "@a/b",
    "a" * 64,
    "a" * 65,
    "a-" * 100,
    "1" * 30,
    "r\u0435quests",
    "re\u0301quests",
    "\u200brequests",
    "\U0001f600",
    "REQUESTS",
    "python-reqeusts",
    "com.google.guava:guavaa",
    "github.com/stretchr/testfy",
    "discord.js-fix",
    "colors-2.2.0",
    "nmap-python",
)


def edited(name: str, chance: random.Random) -> str:
    """A name with one or two letters changed, dropped, added, or a word put beside it."""
    letters = list(name)
    for _ in range(chance.randrange(1, 3)):
        at = chance.randrange(len(letters) or 1)
        match chance.randrange(5):
            case 0:
                letters.insert(at, chance.choice(LETTERS))
            case 1:
                del letters[at : at + 1]
            case 2:
                letters[at : at + 1] = [chance.choice(LETTERS)]
            case 3:
                letters[at : at + 2] = letters[at : at + 2][::-1]
            case _:
                letters += ["-", *chance.choice(("js", "python", "helper", "utils", "x"))]
    return "".join(letters)


def judged() -> Iterator[str]:
    """What is said of each name."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    engines = builtin()
    for ecosystem in engines.ecosystems:
        engine = engines.engine(ecosystem)
        listed = engine.names
        for name in (*ODD, *(edited(chance.choice(listed), chance) for _ in range(EDITED))):
            try:
                yield repr(engine.scan(Package(ecosystem, name)))
            except DomainError as error:
                yield f"{name!r}: {error.code}: {error.message}"


def main() -> None:
    """Print where the engine is from, and all judgements."""
    sys.stdout.writelines(f"{line}\n" for line in (room.__file__, *judged()))


if __name__ == "__main__":
    main()
