"""The techniques as people ask about them: what each catches, what it costs, where it errs.

A new technique is one more row of METHODS; the pages, the command line and the API read them from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from typosentinel_server.errors import MethodUnknown, did_you_mean, shown
from typosentinel_server.scan.model import Ecosystem, Technique


@dataclass(frozen=True, slots=True)
class Method:
    """One way of finding confusions.

    Attributes:
        technique: what its findings are called.
        title: a short heading.
        catches: one sentence, without a full stop.
        attack: a name that it finds.
        target: the popular name that the attack is taken for.
        ecosystem: where both stand; the target is on the built-in list.
        needs: what must be configured for it to find anything; empty where the lists suffice.
        cost: a bound on its work for one name.
        limits: what it misses, and what it suspects wrongly.
    """

    technique: Technique
    title: str
    catches: str
    attack: str
    target: str
    ecosystem: Ecosystem
    cost: str
    limits: str
    needs: str = ""

    @property
    def name(self) -> str:
        """The technique's name, by which the method is asked for."""
        return self.technique.value


NEIGHBOURS = (
    "one comparison with each popular name one edit away, at most 64; they are found once for all methods, "
    "with as many probes as the name has characters, and one"
)
PROBE = "one probe, and a comparison with each name found, at most 64"

METHODS = (
    Method(
        technique=Technique.TRANSPOSITION,
        title="Two letters swapped",
        catches="two neighbouring letters of a popular name are swapped",
        attack="reqeusts",
        target="requests",
        ecosystem=Ecosystem.PYPI,
        cost=NEIGHBOURS,
        limits="Letters that are swapped over a distance, and two swaps in one name, are not found.",
    ),
    Method(
        technique=Technique.OMISSION,
        title="A letter left out",
        catches="one letter or digit of a popular name is left out",
        attack="urlib3",
        target="urllib3",
        ecosystem=Ecosystem.PYPI,
        cost=NEIGHBOURS,
        limits="Singular and plural, or a version's digit left out, are often honest; they weigh less.",
    ),
    Method(
        technique=Technique.INSERTION,
        title="A letter added",
        catches="one letter or digit is added to a popular name",
        attack="requiests",
        target="requests",
        ecosystem=Ecosystem.PYPI,
        cost=NEIGHBOURS,
        limits="A letter at either end often makes another word, and a digit another version; they weigh less.",
    ),
    Method(
        technique=Technique.REPETITION,
        title="A letter typed twice",
        catches="one letter of a popular name is typed twice",
        attack="reacct",
        target="react",
        ecosystem=Ecosystem.NPM,
        cost=NEIGHBOURS,
        limits="A letter typed three times, and two repetitions in one name, are not found.",
    ),
    Method(
        technique=Technique.SUBSTITUTION,
        title="A letter replaced",
        catches="one letter of a popular name is replaced by another, neighbours on the keyboard above all",
        attack="nunpy",
        target="numpy",
        ecosystem=Ecosystem.PYPI,
        cost=NEIGHBOURS,
        limits="Honest names differ so too, short ones above all: name length and first letter speak for a name.",
    ),
    Method(
        technique=Technique.DELIMITER,
        title="Other punctuation",
        catches="hyphens, underscores, dots or tildes of a popular name are left out, added or moved",
        attack="crossenv",
        target="cross-env",
        ecosystem=Ecosystem.NPM,
        cost=PROBE,
        limits="Spellings that the registry itself holds to be one package are one name here, and no finding.",
    ),
    Method(
        technique=Technique.BIT_FLIP,
        title="A bit turned over",
        catches="one bit of one character of a popular name is turned over, as faulty memory does",
        attack="botocorg",
        target="botocore",
        ecosystem=Ecosystem.PYPI,
        cost=NEIGHBOURS,
        limits="It is weak evidence by itself, for what it finds is a substitution too; two bits are not looked for.",
    ),
    Method(
        technique=Technique.HOMOGLYPH,
        title="Look-alike letters",
        catches="a character is replaced by one that looks like it, within ASCII or from another script",
        attack="djang0",
        target="django",
        ecosystem=Ecosystem.PYPI,
        cost=PROBE,
        limits="How alike letters look depends on the font; i and l weigh less, for they look alike in capitals only.",
    ),
    Method(
        technique=Technique.LETTER_CASE,
        title="Other capitals",
        catches="the name differs in capitals alone, where the registry holds such names apart",
        attack="Lodash",
        target="lodash",
        ecosystem=Ecosystem.NPM,
        cost=PROBE,
        limits="It says nothing for PyPI, crates.io and NuGet, where capitals make no other package.",
    ),
)
BY_NAME = {method.name: method for method in METHODS}


def method_named(name: str) -> Method:
    """The method of that name, such as `bit-flip`. Raises MethodUnknown, naming all there are."""
    found = BY_NAME.get(name)
    if found is None:
        raise MethodUnknown(
            "UNKNOWN_METHOD",
            f"there is no method {shown(name)}",
            f"{did_you_mean(name, BY_NAME)}There are {', '.join(BY_NAME)}.",
        )
    return found


def techniques_named(names: Iterable[str]) -> frozenset[Technique]:
    """The techniques of these names; spaces around one are no part of it. Raises MethodUnknown."""
    return frozenset(method_named(name.strip()).technique for name in names)
