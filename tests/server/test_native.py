"""The inner loops in C beside what they stand for in Python and numpy: the same numbers for the same names."""

import random
import string
from typing import cast

import pytest

from judging import corpus_of, words
from typosentinel_server.scan import index, lexicon, multimap, scorecard
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.index import Index
from typosentinel_server.scan.inner import INNER, Inner
from typosentinel_server.scan.model import Ecosystem, Package
from typosentinel_server.scan.spelling import Edit

SEED = 20261121
LETTERS = "abcdeo01" + string.ascii_lowercase
NAMES = 300
EDITS = 600


@pytest.fixture(scope="module")
def inner() -> Inner:
    """The loops in C: tests run where there is a compiler; what has none is slower, and otherwise the same."""
    assert INNER is not None
    return INNER


def chance() -> random.Random:
    """The same numbers at every run."""
    return random.Random(SEED)  # noqa: S311 - repeatable, not secret


def some_names(numbers: random.Random) -> list[str]:
    """Names of 1 to 40 letters, many of them near each other."""
    lengths = numbers.choices((1, 2, 3, 5, 6, 8, 12, 19, 20, 21, 40), k=NAMES)
    return list(dict.fromkeys("".join(numbers.choices(LETTERS[:8], k=length)) for length in lengths))


def edited(name: str, numbers: random.Random) -> str:
    """The name with up to three letters changed, dropped, added or swapped."""
    letters = list(name)
    for _ in range(numbers.randrange(4)):
        at = numbers.randrange(len(letters) or 1)
        match numbers.randrange(4):
            case 0:
                letters.insert(at, numbers.choice(LETTERS))
            case 1 if letters:
                del letters[at]
            case 2 if letters:
                letters[at] = numbers.choice(LETTERS)
            case _:
                letters[at:at] = letters[at - 1 : at][::-1]
    return "".join(letters)


def judge_all() -> list[object]:
    """What an engine says of many names."""
    numbers = chance()
    names = some_names(numbers)
    engine = Engine(Index.of(corpus_of(*names)), words())
    asked = [edited(numbers.choice(names), numbers) for _ in range(EDITS)]
    return [engine.scan(Package(Ecosystem.PYPI, name)) for name in asked if name]


@pytest.mark.timeout(30)
def test_same_judgements_with_and_without(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts, scores, findings and their order."""
    assert all(getattr(room, "INNER") is inner for room in (index, lexicon, multimap, scorecard))  # noqa: B009
    native = judge_all()
    for room in (index, lexicon, multimap, scorecard):
        monkeypatch.setattr(room, "INNER", None)

    assert judge_all() == native
    assert len({repr(result) for result in native}) > EDITS / 3


def test_text_beyond_the_bound_is_refused(inner: Inner) -> None:
    """The caller sees to the bounds, and C does not trust it."""
    empty = memoryview(b"")
    for text in (b"", b"a" * 65):
        with pytest.raises(ValueError, match="1 to 64 bytes"):
            inner.near(text, empty, empty, empty, empty, Edit)
    with pytest.raises(ValueError, match="64 letters"):
        inner.segments(b"a" * 65, empty, empty, 8.0, 4.5, 16)
    with pytest.raises(ValueError, match="another number of letters"):
        inner.letters("a", bytes(256), memoryview(bytes(10)), 38)
    with pytest.raises(ValueError, match="another number of letters"):
        inner.letters("a", b"\xff" * 256, memoryview(bytes(38**4)), 38)
    with pytest.raises(ValueError, match="256 codes"):
        inner.letters("a", bytes(97), memoryview(bytes(38**4)), 38)
    with pytest.raises(ValueError, match="slips are tuples"):
        inner.near(b"a", empty, empty, empty, empty, cast("type[Edit]", dict))
    with pytest.raises(ValueError, match="one weight more"):
        inner.odds({"sign": 1.0}, {"sign": bytes(16)}, 0.0)
    with pytest.raises(TypeError):
        inner.odds({"sign": cast("float", "1")}, {"sign": bytes(8)}, 0.0)


def test_letters_beyond_ascii_cost_as_in_python(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them costs what a mark costs, however many bytes it has."""
    held = words()
    texts = ("", "naïve", "жук", "a\U0001f600b", "\u00ff" * 70, "a-b", "\x00", "~")
    assert inner is not None
    native = [held.letters(text) for text in texts]
    monkeypatch.setattr(lexicon, "INNER", None)

    assert [held.letters(text) for text in texts] == native


@pytest.mark.parametrize("size", [0, 1, 7, 8, 15, 64])
def test_buffers_that_do_not_fit_together_are_survived(inner: Inner, size: int) -> None:
    """Whatever the lengths, nothing is read beyond them."""
    buffer = memoryview(bytes(size))
    full = memoryview(b"\xff" * size)

    assert inner.find(buffer, full, buffer, "key") == []
    assert inner.find(full, full, full, "key") == []
    assert inner.near(b"requests", full, full, full, full, Edit) == []
    assert inner.near(b"requests", buffer, buffer, full, buffer, Edit) == []
