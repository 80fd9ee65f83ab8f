"""What the engine benchmark does to its contestants: rounds, loads, and a list that grows."""

import shutil
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hack.bench.contest import Contestant, forget, python
from hack.bench.data import COMPILED, OUT
from hack.bench.names import Query, grown, write_corpus
from typosentinel_server.scan.corpus import FILE_STEMS, Corpus
from typosentinel_server.scan.model import Ecosystem

ROUNDS = 7
LOADS = 5
SHORT_LIST = 11_000
LONG_LIST = 200_000
PEERS = ("rapidfuzz", "symspellpy")

Taken = dict[str, list[list[int]]]


@dataclass(slots=True)
class Rounds:
    """What the rounds brought.

    Attributes:
        taken: by contestant, then by round: nanoseconds for each name.
        rates: names per second of each batch over all names.
        grown_mb: what our process holds more than an idle one, in MiB; in all, and of that not from files.
        skipped: questions that typomania was spared.
    """

    taken: Taken = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)
    grown_mb: tuple[float, float] = (0.0, 0.0)
    skipped: int = 0


def percentile_us(rounds: Sequence[Sequence[int]], percent: int) -> float:
    """A percentile of nanoseconds, in microseconds; the median of the rounds', so that one disturbed does not count."""
    cuts = [statistics.quantiles(taken, n=100, method="inclusive")[percent - 1] for taken in rounds]
    return statistics.median(cuts) / 1000


def chunks(queries: Sequence[Query], count: int) -> list[list[Query]]:
    """The questions in equal parts, none left out."""
    return [list(queries[n::count]) for n in range(count)]


def raw(queries: Sequence[Query]) -> list[tuple[str, str]]:
    """Questions as we are asked."""
    return [(FILE_STEMS[query.ecosystem], query.raw) for query in queries]


def normalised(queries: Sequence[Query]) -> list[tuple[str, str]]:
    """Questions as peers are asked."""
    return [(FILE_STEMS[query.ecosystem], query.text) for query in queries]


def play(corpora: Path, lists: Path, rust: Path, queries: Sequence[Query]) -> Rounds:
    """All rounds: in each, every contestant answers the same part, in an order that turns from round to round.

    Args:
        corpora: our lists, also the batches'.
        lists: the same for peers.
        rust: typomania's program.
        queries: what to ask.

    Raises:
        NotRun: a contestant died.
    """
    found = Rounds(skipped=sum(not query.text.isascii() for query in queries))
    with ExitStack() as stack:
        players = {
            "ours": stack.enter_context(python("ours", corpora)),
            "typomania": stack.enter_context(Contestant("typomania", [str(rust), str(lists)])),
        } | {name: stack.enter_context(python(name, lists)) for name in PEERS}
        resting = stack.enter_context(python("idle", corpora))
        for n, part in enumerate(chunks(queries, ROUNDS)):
            order = list(players)
            for name in order[n % len(order) :] + order[: n % len(order)]:
                found.taken.setdefault(name, []).append(players[name].ask(_asked(name, part)))
            resting.ask(raw(part))
            with python("ours-batch", corpora) as batch:
                found.rates.append(len(queries) / (batch.ask(raw(queries))[0] / 1e9))
        ours = players["ours"]
        found.grown_mb = (
            ours.rss_mb() - resting.rss_mb(),
            ours.rss_mb("RssAnon") - resting.rss_mb("RssAnon"),
        )
    return found


def _asked(name: str, part: Sequence[Query]) -> list[tuple[str, str]]:
    if name == "ours":
        return raw(part)
    # The crate panics where a string is cut inside a character, so on foreign letters.
    return normalised([query for query in part if name != "typomania" or query.text.isascii()])


def load_seconds(corpora: Path) -> dict[str, float]:
    """How long building all engines takes in a fresh process, in seconds; medians of several, in turns.

    `first` has to compile the lists; `warm` maps what is compiled already, and `cold` does so with nothing of it in the
    kernel's cache.
    """
    taken: dict[str, list[float]] = {"first": [], "cold": [], "warm": []}
    for _ in range(LOADS):
        for state, seconds in taken.items():
            if state == "first":
                shutil.rmtree(COMPILED, ignore_errors=True)
            elif state == "cold":
                forget(corpora)
                forget(COMPILED)
            with python("ours", corpora) as process:
                seconds.append(process.load_s)
    return {state: statistics.median(seconds) for state, seconds in taken.items()}


def growth(corpora: Mapping[Ecosystem, Corpus], queries: Sequence[Query]) -> dict[str, float]:
    """How the cost of a name grows with the list: p50 over a long list, over a short one, and their ratio.

    Both are lists of PyPI; the questions are the bench's PyPI names, which are on neither.
    """
    asked = [query for query in queries if query.ecosystem is Ecosystem.PYPI]
    ordered = [corpora[Ecosystem.PYPI], *(corpus for e, corpus in corpora.items() if e is not Ecosystem.PYPI)]
    names = grown(ordered, LONG_LIST, {query.text for query in asked})
    sizes = {"short": SHORT_LIST, "long": LONG_LIST}
    taken: Taken = {size: [] for size in sizes}
    with ExitStack() as stack:
        players = {}
        for size, count in sizes.items():
            place = OUT / f"growth-{size}"
            write_corpus(names[:count], place / "pypi.csv")
            players[size] = stack.enter_context(python("ours", place))
        for part in chunks(asked, ROUNDS):
            for size, player in players.items():
                taken[size].append(player.ask(raw(part)))
    short, long = (percentile_us(taken[size], 50) for size in sizes)
    return {"growth": long / short, "p50_us_11k": short, "p50_us_200k": long}
