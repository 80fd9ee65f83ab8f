"""Running the checks over a name and adding up what they say.

A target's score is the logistic of a sum of named contributions in log-odds, taken from the score card of the
group of techniques that lead to it. Every contribution is in the evidence.
"""

from collections.abc import Iterator, Mapping
from math import log

from typosentinel_server.scan import forms
from typosentinel_server.scan.checks import matches
from typosentinel_server.scan.corpus import CorpusFacts
from typosentinel_server.scan.elsewhere import Elsewhere
from typosentinel_server.scan.evidence import Group, Signs, Witness, group_of
from typosentinel_server.scan.index import Index, Target
from typosentinel_server.scan.lexicon import Lexicon
from typosentinel_server.scan.model import Ecosystem, Finding, Package, ScanResult
from typosentinel_server.scan.naming import Name, parse_name, refusal
from typosentinel_server.scan.query import NOWHERE, Match, Query
from typosentinel_server.scan.scorecard import Scorecard, fitted, logistic

MAX_FINDINGS = 8
# Weaker findings, by score and by a bound on the log-odds of that, say nothing to anybody.
SHOWN_FROM = 0.1
SHOWN_ODDS = log(SHOWN_FROM / (1 - SHOWN_FROM)) - 0.01


class Suspect:
    """One popular name that one group of techniques leads to.

    Attributes:
        group: the techniques.
        target: the popular name.
        matches: what each technique says.
        signs: for and against.
        odds: their sum by the score card.
    """

    __slots__ = ("group", "matches", "odds", "signs", "target")

    def __init__(self, group: Group, target: Target, found: list[Match], signs: Signs) -> None:
        self.group = group
        self.target = target
        self.matches = found
        self.signs = signs
        self.odds = 0.0


class Engine:
    """Judges names of one ecosystem. Holds no state but its index; safe to share between threads.

    Args:
        index: the popular names to compare with.
        lexicon: what the words of package names look like.
        scorecard: the weights; those of the package where None.
        elsewhere: the popular names of other registries; none where nothing is said.
    """

    def __init__(
        self, index: Index, lexicon: Lexicon, scorecard: Scorecard | None = None, elsewhere: Elsewhere = NOWHERE
    ) -> None:
        self._index = index
        self._lexicon = lexicon
        self._card = scorecard or fitted()
        self._elsewhere = elsewhere
        # Asked for at every scan.
        self._ecosystem = index.corpus.ecosystem
        self._basis = f"{index.corpus.version}/{lexicon.version}/{elsewhere.version}"

    @property
    def ecosystem(self) -> Ecosystem:
        """Whose names are judged."""
        return self._ecosystem

    @property
    def corpus(self) -> CorpusFacts:
        """The list that names are compared with."""
        return self._index.corpus

    @property
    def basis(self) -> str:
        """What judgements rest on: the list, and what all lists together teach; kept with everything cached."""
        return self._basis

    @property
    def names(self) -> list[str]:
        """The popular names, most popular first."""
        return self._index.names

    @property
    def scorecard(self) -> Scorecard:
        """The weights, and which scores stand for which verdicts."""
        return self._card

    @property
    def contents(self) -> tuple[object, object, object | None]:
        """The bytes that list, lexicon and table of other registries are views of, for whoever shares them."""
        return self._index.content, self._lexicon.content, self._elsewhere.content

    def lists(self, name: Name) -> bool:
        """Whether a name is one of the popular ones."""
        return self._index.known(name) is not None

    def with_card(self, scorecard: Scorecard) -> "Engine":
        """An engine over the same list that weighs differently."""
        return Engine(self._index, self._lexicon, scorecard, self._elsewhere)

    def scan(self, package: Package) -> ScanResult:
        """The judgement of one name. Bound: some 800 probes, whatever the name.

        Each probe for a neighbour finds at most 64 names, 512 of which are looked at; with real lists they are dozens.

        Raises:
            NameRefused: the registry could hold no package of that name.
        """
        return self.judge(package, parse_name(package.ecosystem, package.name))

    def judge(self, package: Package, name: Name) -> ScanResult:
        """As `scan`, for a name that is already parsed."""
        known = self._index.known(name)
        if known is not None:
            # What a list names only because others imitate it never alerts, and is not known for that.
            return self._result(package, name, known if self._index.trusts(known) else None, ())
        suspects = self.suspects(name)
        if not suspects:
            if not name.raw.isascii():
                raise refusal(package.ecosystem, name.raw)
            return self._result(package, name, None, ())
        return self._result(package, name, None, self._weighed(suspects))

    def doubt(self, package: Package, name: Name, times: int) -> ScanResult:
        """The judgement of a listed name as if it were not listed, next to names far more popular.

        It takes a millisecond longer than `judge`.

        Args:
            package: what was asked.
            name: a listed one; nothing is found about any other, nor about one without a rank.
            times: how many times better the other's rank must be, 2 or more.
        """
        known = self._index.known(name)
        own = known.rank if known else None
        if own is None:
            return self._result(package, name, known, ())
        query = Query(name, self._index)
        found = {key: m for key, m in _grouped(query).items() if times * (m[0].target.rank or own) <= own}
        if not found:
            return self._result(package, name, known, ())
        # A squat on the list has taught the lexicon that it is a word.
        lexicon = self._lexicon.without(forms.base(self.ecosystem, name.text))
        return self._result(package, name, known, self._weighed(_suspects(query, found, lexicon)))

    def resembled(self, name: Name) -> list[str]:
        """The letters and digits of the popular names that a name may be confused with, however weak the signs."""
        return [found[0].target.flat for found in _grouped(Query(name, self._index)).values()]

    def suspects(self, name: Name) -> list[Suspect]:
        """The popular names that an unlisted name may be confused with, and the signs; nothing weighed yet."""
        query = Query(name, self._index, self._elsewhere)
        found = _grouped(query)
        return _suspects(query, found, self._lexicon) if found else []

    def _weighed(self, suspects: list[Suspect]) -> tuple[Finding, ...]:
        cards = self._card.cards
        for suspect in suspects:
            suspect.odds = cards[suspect.group].odds(suspect.signs)
        # Most names have nothing worth showing, and need no order.
        shown = [suspect for suspect in suspects if suspect.odds >= SHOWN_ODDS]
        shown.sort(key=_strongest_first)
        return tuple(self._findings(shown))

    def _findings(self, suspects: list[Suspect]) -> Iterator[Finding]:
        """What is worth telling: all that is an advisory or more, else the strongest that is anything at all."""
        shown = 0
        for suspect in suspects:
            score = round(logistic(suspect.odds), 4)
            if score < (self._card.advisory_from if shown else SHOWN_FROM):
                return
            contributions = self._card.cards[suspect.group].contributions(suspect.signs)
            for match in suspect.matches:
                if shown == MAX_FINDINGS:
                    return
                shown += 1
                target = suspect.target
                quoted = f'"{target.name}"' + (f" (rank {target.rank})" if target.rank else "")
                yield Finding(
                    technique=match.technique,
                    target=target.name,
                    rank=target.rank,
                    message=match.evidence.replace("{target}", quoted),
                    score=score,
                    contributions=contributions,
                    target_ecosystem=target.ecosystem,
                )

    def _result(self, package: Package, name: Name, known: Target | None, findings: tuple[Finding, ...]) -> ScanResult:
        score = findings[0].score if findings else 0.0
        verdict = self._card.verdict_of(score)
        rank = known.rank if known else None
        return ScanResult(
            package, name.identity, known is not None, rank, verdict, score, findings, self._index.corpus.version
        )


def _strongest_first(suspect: Suspect) -> tuple[float, int, str]:
    return (-suspect.odds, suspect.target.rank or 1 << 30, suspect.target.name)


def _grouped(query: Query) -> dict[tuple[Group, int], list[Match]]:
    """What the techniques of each group say of each popular name, by its number."""
    found: dict[tuple[Group, int], list[Match]] = {}
    for match in matches(query):
        key = (group_of(match.technique, query, match.target), match.target.number)
        if key in found:
            found[key].append(match)
        else:
            found[key] = [match]
    return found


def _suspects(query: Query, found: Mapping[tuple[Group, int], list[Match]], lexicon: Lexicon) -> list[Suspect]:
    witness = Witness(query, lexicon)
    return [
        Suspect(group, seen[0].target, seen, witness.signs(group, seen[0].target, seen))
        for (group, _), seen in found.items()
    ]
