"""Each technique: which name leads to which target, and what is said about it."""

import pytest

from judging import judged
from typosentinel_server.scan.model import Ecosystem, Technique, Verdict

T = Technique


@pytest.mark.parametrize(
    ("name", "target", "technique", "sentence"),
    [
        ("reqeusts", "requests", T.TRANSPOSITION, 'two neighbouring letters of "requests" (rank 1) are swapped'),
        ("requets", "requests", T.OMISSION, '"s" is left out of "requests" (rank 1)'),
        ("beautifulsop4", "beautifulsoup4", T.OMISSION, '"u" is left out of "beautifulsoup4" (rank 1)'),
        (
            "setuptoolz",
            "setuptools",
            T.SUBSTITUTION,
            '"s" of "setuptools" (rank 1) is replaced by "z", its neighbour on the keyboard',
        ),
        ("satuptools", "setuptools", T.SUBSTITUTION, '"e" of "setuptools" (rank 1) is replaced by "a"'),
        ("requiests", "requests", T.INSERTION, '"i" is added to "requests" (rank 1)'),
        ("reqquests", "requests", T.REPETITION, '"q" of "requests" (rank 1) is typed twice'),
        ("pythondateutil", "python-dateutil", T.DELIMITER, 'the punctuation of "python-dateutil" (rank 1) is left out'),
        ("set-up-tools", "setuptools", T.DELIMITER, 'punctuation is added to "setuptools" (rank 1)'),
        ("pytho-ndateutil", "python-dateutil", T.DELIMITER, '"python-dateutil" (rank 1) has other punctuation'),
        ("setuptoo1s", "setuptools", T.HOMOGLYPH, '"1" looks like "l" of "setuptools" (rank 1)'),
        ("rnatplotlib", "matplotlib", T.HOMOGLYPH, '"rn" looks like "m" of "matplotlib" (rank 1)'),
        ("vverkzeug", "werkzeug", T.HOMOGLYPH, '"vv" looks like "w" of "werkzeug" (rank 1)'),
        ("c0lorama", "colorama", T.HOMOGLYPH, '"0" looks like "o" of "colorama" (rank 1)'),
    ],
)  # fmt: skip
def test_technique_leads_to_its_target(name: str, target: str, technique: Technique, sentence: str) -> None:
    """A confusion is found, named, explained, and judged suspicious."""
    result = judged(name, target)

    assert (result.verdict, result.targets) == (Verdict.SUSPICIOUS, (target,))
    assert (result.findings[0].technique, result.findings[0].message) == (technique, sentence)


@pytest.mark.parametrize(
    ("name", "target", "letter"),
    [
        ("r\u0435quests", "requests", "U+0435 (cyrillic small letter ie)"),
        ("\uff52equests", "requests", "U+FF52 (fullwidth latin small letter r)"),
        ("r\u00e9quests", "requests", "U+00E9 (latin small letter e with acute)"),
        ("roc\u212aet-chip", "rocket-chip", "U+212A (kelvin sign)"),
    ],
)
def test_letters_beyond_ascii_are_named(name: str, target: str, letter: str) -> None:
    """Whoever reads the evidence can tell the letters apart, though the eye cannot."""
    result = judged(name, target)

    assert (result.verdict, result.targets) == (Verdict.SUSPICIOUS, (target,))
    assert result.findings[0].message == f'{letter} makes it look like "{target}" (rank 1)'


def test_bit_flip_is_evidence_beside_the_substitution() -> None:
    """One bit of one letter turned over is said so, though a plain substitution explains it too."""
    found = {f.technique: f.message for f in judged("raquests", "requests").findings}

    assert found[T.BIT_FLIP] == '"a" for "e" in "requests" (rank 1) is a single bit turned over'


def test_digits_are_no_bit_flips() -> None:
    """Two digits one bit apart are two versions, not a fault of memory."""
    assert T.BIT_FLIP not in {f.technique for f in judged("urllib2", "urllib3").findings}


@pytest.mark.parametrize("ecosystem", [Ecosystem.NPM, Ecosystem.RUBYGEMS])
def test_capitals_are_a_hint_where_the_registry_tells_them_apart(ecosystem: Ecosystem) -> None:
    """Other capitals make another package there, which is worth a look."""
    result = judged("jsonstream", "JSONStream", ecosystem=ecosystem)

    assert result.targets == ("JSONStream",)
    assert result.findings[0].technique is T.LETTER_CASE


@pytest.mark.parametrize(
    ("name", "popular"),
    [
        ("task", "flask"),
        ("asap", "tsup"),
        ("clsx", "tsx"),
        ("next", "nuxt"),
        ("redis", "redux"),
        ("pip", "six"),
        ("boto", "boto3"),
        ("yarl", "yaml"),
    ],
)
def test_short_or_numbered_names_are_left_alone(name: str, popular: str) -> None:
    """What users complain of elsewhere: a short name one or two edits away is most often another word."""
    assert judged(name, popular).verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    ("ecosystem", "name", "popular"),
    [
        (Ecosystem.PYPI, "Python_DateUtil", "python-dateutil"),
        (Ecosystem.PYPI, "zope.interface", "zope-interface"),
        (Ecosystem.CRATES, "serde_json", "serde-json"),
        (Ecosystem.NUGET, "newtonsoft.json", "Newtonsoft.Json"),
        (Ecosystem.GO, "github.com/spf13/cobra/v2", "github.com/spf13/cobra"),
    ],
)
def test_another_spelling_of_a_popular_name_is_that_name(ecosystem: Ecosystem, name: str, popular: str) -> None:
    """A registry's own spellings of one package are never squats of one another."""
    result = judged(name, popular, ecosystem=ecosystem)

    assert (result.known, result.verdict, result.findings) == (True, Verdict.CLEAN, ())


@pytest.mark.parametrize(
    ("ecosystem", "name", "target"),
    [
        (Ecosystem.NPM, "@bable/core", "@babel/core"),
        (Ecosystem.NPM, "crossenv", "cross-env"),
        (Ecosystem.CRATES, "rustdeciaml", "rustdecimal"),
        (Ecosystem.RUBYGEMS, "atlas-client", "atlas_client"),
        (Ecosystem.NUGET, "Newtonsfot.Json", "Newtonsoft.Json"),
        (Ecosystem.GO, "github.com/spf31/cobra", "github.com/spf13/cobra"),
        (Ecosystem.MAVEN, "org.sfl4j:slf4j-api", "org.slf4j:slf4j-api"),
    ],
)
def test_every_ecosystem_is_judged_by_its_own_names(ecosystem: Ecosystem, name: str, target: str) -> None:
    """Scopes, paths and coordinates are part of the name; the target comes in its registry's spelling."""
    assert judged(name, target, ecosystem=ecosystem).targets == (target,)


@pytest.mark.parametrize(
    ("ecosystem", "name", "popular"),
    [
        (Ecosystem.NPM, "@babel/croe", "@babel/core"),
        (Ecosystem.GO, "github.com/spf13/corba", "github.com/spf13/cobra"),
        (Ecosystem.MAVEN, "org.slf4j:slf4j-apis", "org.slf4j:slf4j-api"),
    ],
)
def test_neighbours_under_one_owner_are_told_so(ecosystem: Ecosystem, name: str, popular: str) -> None:
    """Nobody but the owner of a scope, an account or a group can publish beside the popular name: it speaks for it."""
    result = judged(name, popular, ecosystem=ecosystem)

    weights = {c.reason: c.weight for c in result.findings[0].contributions}
    assert weights["only their common owner can publish either"] < -0.5


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("yaml-js", '"js" of "js-yaml" (rank 1) stands elsewhere'),
        ("yaml-rs", '"js" of "js-yaml" (rank 1) is exchanged for "rs"'),
    ],
)
def test_a_word_beside_a_name_is_exchanged_or_stands_elsewhere(name: str, sentence: str) -> None:
    """Nobody is told that a word is exchanged for itself."""
    found = judged(name, "js-yaml", ecosystem=Ecosystem.NPM).findings

    assert [f.message for f in found if f.technique is T.AFFIX] == [sentence]
