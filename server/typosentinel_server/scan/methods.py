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
        ecosystem: where both stand, but for a target of another one; the target is on the built-in list.
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
    "one comparison with each popular name one slip away, at most 16; found once for all methods, with one probe, "
    "one for each letter up to 64, and one for each two letters in names of 6 to 20"
)
SAME_LETTERS = (
    "one comparison with each popular name of the same letters, at most 64; they are found with the neighbours"
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
        limits="Letters that are swapped over a distance are not found; two swaps in one name are two slips.",
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
        limits="A letter typed three times, and two repetitions in one name, are two slips.",
    ),
    Method(
        technique=Technique.SUBSTITUTION,
        title="A letter replaced",
        catches="one letter of a popular name is replaced by another, neighbours on the keyboard above all",
        attack="requezts",
        target="requests",
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
        cost=SAME_LETTERS,
        limits="Spellings that the registry itself holds to be one package are one name here, and no finding.",
    ),
    Method(
        technique=Technique.BIT_FLIP,
        title="A bit turned over",
        catches="one bit of one character of a popular name is turned over, as faulty memory does",
        attack="botobore",
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
        cost=SAME_LETTERS,
        limits="It says nothing for PyPI, crates.io and NuGet, where capitals make no other package.",
    ),
    Method(
        technique=Technique.PLURAL,
        title="Singular for plural",
        catches='an "s" is added to the end of a popular name, or left out there',
        attack="typing-extension",
        target="typing-extensions",
        ecosystem=Ecosystem.PYPI,
        cost=NEIGHBOURS,
        limits="Singular and plural are often two honest packages, so it weighs little; other plurals are not found.",
    ),
    Method(
        technique=Technique.COMPOUND,
        title="Two slips",
        catches="two letters of a popular name are swapped, added, left out or replaced, each by one slip",
        attack="tesnorflwo",
        target="tensorflow",
        ecosystem=Ecosystem.PYPI,
        cost="one comparison with each popular name two slips away, at most 8; they are found with the others",
        limits="Only between names of 6 to 20 letters and digits, and only where the result looks like no word.",
    ),
    Method(
        technique=Technique.WORD_ORDER,
        title="Words in another order",
        catches="the words of a popular name stand in another order",
        attack="dateutil-python",
        target="python-dateutil",
        ecosystem=Ecosystem.PYPI,
        cost=PROBE,
        limits="Honest packages are named so too, so it weighs little; the words must be set apart by marks.",
    ),
    Method(
        technique=Technique.VERSION,
        title="A version in the name",
        catches="a version or a number is written behind a popular name",
        attack="colors-2.2.0",
        target="colors",
        ecosystem=Ecosystem.NPM,
        cost="two probes, and a comparison with each name found, at most 64",
        limits="A single digit is how honest successors are called, so it weighs less than a full version.",
    ),
    Method(
        technique=Technique.AFFIX,
        title="A word that says little exchanged",
        catches="a mark such as js or python, or a lure such as fix, beside a popular name is left out or exchanged",
        attack="py-dateutil",
        target="python-dateutil",
        ecosystem=Ecosystem.PYPI,
        cost="20 probes, and a comparison with each name found, at most 64",
        limits="Which words say little is a list of about 90; what remains must have four letters or more.",
    ),
    Method(
        technique=Technique.COMBOSQUAT,
        title="A word put beside a popular name",
        catches="a popular name stands in the name whole, with other words in front, behind or around it",
        attack="jquery.js",
        target="jquery",
        ecosystem=Ecosystem.NPM,
        cost="3 probes a word, at most 16 words, and 24 for marks without punctuation; 8 names are looked at",
        limits="Plug-ins are named so by the thousand: a target that ten popular names are built around is left alone, "
        "and most findings are advisories or weaker.",
    ),
    Method(
        technique=Technique.MISSPELT,
        title="A word put beside a slip",
        catches="a mark of a language or a lure stands beside a popular name with one slip in it",
        attack="python-reqeusts",
        target="requests",
        ecosystem=Ecosystem.PYPI,
        cost="at most two searches for near names, 4 names of each",
        limits="What stands beside must be a mark of a language or a lure, and the rest have 6 letters or more. Where "
        "the rest is a popular name itself, it is a combosquat. At most an advisory.",
    ),
    Method(
        technique=Technique.SCOPE,
        title="Another owner",
        catches="the scope, group or account of a popular name is left out, added or another's",
        attack="core-rest-pipeline",
        target="@azure/core-rest-pipeline",
        ecosystem=Ecosystem.NPM,
        cost="three probes, and a comparison with each name found, at most 64",
        limits="@types/ names describe packages of others and are left alone; common words weigh less.",
    ),
    Method(
        technique=Technique.SEMANTIC,
        title="A word of kin meaning",
        catches="a word of a popular name is exchanged for one that means nearly the same, or for another form of it",
        attack="color-conversion",
        target="color-convert",
        ecosystem=Ecosystem.NPM,
        cost=PROBE,
        limits="Which words are kin is a list of about 1,000 in 170 groups; words must be set apart by marks, one is "
        "exchanged at a time, and three letters or more must stay. Honest packages are named so too, hence at most an "
        "advisory.",
    ),
    Method(
        technique=Technique.CROSS_ECOSYSTEM,
        title="A popular name of another registry",
        catches="the name is popular in another registry and on no list of this one, so it may be asked for by mistake",
        attack="typing_extensions",
        target="typing-extensions",
        ecosystem=Ecosystem.NPM,
        cost="one probe, and a comparison with each name found, at most 64",
        limits="Many projects are published in several registries, so it is evidence next to the thousand most popular "
        "names of a registry, at most an advisory next to the hundred, and nothing beyond. Names below five letters, "
        "English words, words that three listed names of this registry hold, and names with an owner are left alone.",
    ),
    Method(
        technique=Technique.DEPENDENCY_CONFUSION,
        title="A private name in a public registry",
        catches="the name is one of your private names, in one of your private namespaces, or one slip from either",
        attack="acme-billing",
        target="acme-billing",
        ecosystem=Ecosystem.PYPI,
        cost="one probe for each length of a pattern, and one for each letter, at most 600",
        limits="It knows the names that you list, and cannot see which registry an installer would ask.",
        needs="a list of private names",
    ),
    Method(
        technique=Technique.UNKNOWN_NAME,
        title="A name that the registry does not have",
        catches="the name is not in the index of its registry, so it cannot be installed today and anybody may take it",
        attack="requests-toolbelt-pro-async",
        target="requests-toolbelt-pro-async",
        ecosystem=Ecosystem.PYPI,
        cost="one look-up at most",
        limits="The index is as old as you let it become; what was published since is missing from it.",
        needs="an index of the registry's names",
    ),
    Method(
        technique=Technique.KNOWN_MALWARE,
        title="Known malware",
        catches="the name, or this version of it, is on a list of known malware",
        attack="some-listed-name",
        target="some-listed-name",
        ecosystem=Ecosystem.NPM,
        cost="one look-up at most",
        limits="It knows what the list knows; other versions of a listed package are advisories.",
        needs="a list of known malware",
    ),
    Method(
        technique=Technique.NEAR_MALWARE,
        title="Near known malware",
        catches="the name is one slip, another number or other punctuation away from names on a list of known malware",
        attack="some-listed-name2",
        target="some-listed-name1",
        ecosystem=Ecosystem.NPM,
        cost="66 probes, and a comparison with each name found, at most 128; where there are such, the popular names "
        "around are found once more",
        limits="An honest package that is on no list is as near to its squats as they are to each other: one listed "
        "name nearby is an advisory. Names below 5 letters and digits, or beyond 64, are not compared.",
        needs="a list of known malware",
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
