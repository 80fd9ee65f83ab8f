"""A slip in a popular name that a word is put beside: `python-reqeusts`. Bound: two searches for near names."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters, told

SHORTEST = 6
MOST_CORES = 2
MOST = 4


def check(query: Query) -> Iterator[Match]:
    """Names one slip away from what is left of the query without a mark of a language or a lure.

    Where that is a popular name itself, or a slip leads to the name from the whole query, others tell it better.
    """
    index = query.index
    cores = {core: affix for core, affix, _ in query.cores if len(core) >= SHORTEST and index.lettered(core) is None}
    for core, affix in list(cores.items())[:MOST_CORES]:
        one = [(number, how[0]) for number, how in index.near(core) if len(how) == 1]
        for number, edit in one[:MOST]:
            if query.neighbour(number) is None:
                evidence = f"{letters(affix)} is put beside a slip in {{target}}: {told(edit)}"
                yield Match(Technique.MISSPELT, index.target(number), evidence)
