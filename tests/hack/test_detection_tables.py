"""The table of look-alikes: from the source's Rust to the file, and whether the file is as it was written."""

from collections.abc import Callable

import pytest
from hack.detection import confusables
from hack.detection.pairs import collisions

RUST = """
pub const UNICODE_VERSION: (u64, u64, u64) = (18, 0, 0);
    const CONFUSABLES: &'static [(char, &'static [char])] = &[
        ('\\u{430}',  &['\\u{61}']), ('\\u{432}',
         &['\\u{299}']), ('\\u{560}',  &['\\u{72}',  '\\u{6e}'])
    ];
    const OTHERS: &'static [(char, &'static [char])] = &[('\\u{431}',  &['\\u{36}'])];
"""
PROTOTYPES = {
    "\u0406": "l",
    "\u0456": "i",
    "\u0421": "C",
    "\u0432": "\u0299",
    "\u043a": "\u0138",
    "\u0560": "rn",
    "\u0253": "'b",
    "\u0111": "d\u0335",
    "\u337a": "l\u222b",
    "\u04d5": "ae",
    "\u2026": "...",
}


def test_the_source_gives_its_version_and_prototypes() -> None:
    """Rows may run over lines; other tables are not read."""
    version, prototypes = confusables.read(RUST)
    assert version == "18.0.0"
    assert prototypes == {"\u0430": "a", "\u0432": "\u0299", "\u0560": "rn"}


def test_a_source_of_another_layout_is_refused() -> None:
    """With a word about what to look at."""
    with pytest.raises(SystemExit, match="layout"):
        confusables.read(RUST.replace("CONFUSABLES", "LOOKALIKES"))


@pytest.mark.parametrize(
    ("character", "look"),
    [
        ("\u0456", "i"),
        ("\u0406", "i"),  # a capital of the prototype l whose lower-case form is an i
        ("\u0421", "c"),
        ("\u0441", ""),  # not among these prototypes
        ("\u0432", "b"),  # by way of a small capital
        ("\u0412", "b"),  # by way of its lower-case form
        ("\u043a", "k"),
        ("\u0560", "m"),
        ("\u0253", "b"),  # by name, where the prototype is no name
        ("\u0111", "d"),
        ("\u04d5", "ae"),
        ("\u337a", ""),
        ("\u2026", ""),
        ("\u0447", ""),
    ],
)
def test_a_character_looks_like(character: str, look: str) -> None:
    """By prototype, by lower-case form, by name, or like nothing."""
    assert confusables.look(character, PROTOTYPES) == look


def test_the_table_leaves_out_what_decomposes_to_ascii() -> None:
    """The scanner finds these by itself, and drops marks."""
    prototypes = {"\u0430": "a", "\uff4d": "rn", "\u0301": "i", "\u00e9": "e"}
    assert confusables.derive(["\u0431", *prototypes], prototypes) == {"\u0430": "a"}


def test_the_committed_table_is_as_it_was_written() -> None:
    """The one that ships."""
    assert confusables.check(confusables.OUT.read_text(encoding="ascii")) == 0


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text.replace("a 430\n", "a 430 431\n"), id="line-changed"),
        pytest.param(lambda text: text + "b 44c\n", id="line-added"),
        pytest.param(lambda text: text.replace("unicode-security", "other"), id="other-source"),
        pytest.param(lambda text: text[text.index("\na ") + 1 :], id="no-head"),
        pytest.param(lambda _: "", id="empty"),
    ],
)
def test_a_damaged_table_is_noticed(damage: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever the damage is."""
    written = confusables.render({"\u0430": "a"}, "18.0.0")
    assert confusables.check(written) == 0
    assert confusables.check(damage(written)) == 1
    assert "make corpora" in capsys.readouterr().err


def test_names_that_a_pair_makes_one_are_grouped() -> None:
    """Names that stay alone are left out."""
    assert collisions(["cliff", "diff", "sniff"], ("cl", "d")) == [["cliff", "diff"]]
