"""How the signs are cut into ranges, and what the score card says of each.

A sign that is not named here weighs nothing. The cuts are round numbers chosen by hand from what the signs
mean; only the weights are fitted.
"""

from typing import NamedTuple

from typosentinel_server.scan.evidence import Group
from typosentinel_server.scan.spelling import Slip


class Column(NamedTuple):
    """One sign.

    Attributes:
        cuts: where one range of its values ends and the next begins; none for a sign that is there or not.
        reason: what its contribution is called, with `{value}` where its number belongs. Signs of one reason that
            see the same thing from several sides are shown as one contribution. What speaks for an honest name may
            have words of its own, behind a bar.
        ordered: whether neighbouring ranges should have similar weights.
    """

    cuts: tuple[float, ...]
    reason: str
    ordered: bool = True


class Stated(NamedTuple):
    """The weights of a group that no labelled attack shows, set by hand.

    Attributes:
        start: log-odds before any sign.
        signs: by name, with a weight for each range.
    """

    start: float
    signs: dict[str, tuple[Column, tuple[float, ...]]]


THERE = ()
COUNT = (1.5,)
BEFORE = "attacks of this kind are common in this ecosystem|attacks of this kind are rare in this ecosystem"
LIKELY = "it looks like no word or name|it looks like a word or a name of its own"
COMPARED = "it looks less like a name than the target does|it looks as much like a name as the target does"
CROWD = "few popular names are near|many popular names are near"
POPULAR = "the target is popular|the target is not among the most popular"
HONEST = "most names of this kind are honest"
WORDS = "its words are rare|its words are common"

SLIP_REASONS = {
    Slip.SWAPPED: "two neighbouring letters are swapped",
    Slip.ADDED: "a letter is added",
    Slip.ADDED_KEY: "a letter is added whose key is a neighbour's",
    Slip.ADDED_DIGIT: "a digit is added",
    Slip.ADDED_PLURAL: 'an "s" is added at the end',
    Slip.REPEATED: "a letter is typed twice",
    Slip.DROPPED: "a letter is left out",
    Slip.DROPPED_DOUBLE: "one of two equal letters is left out",
    Slip.DROPPED_DIGIT: "a digit is left out",
    Slip.DROPPED_PLURAL: 'an "s" is left out at the end',
    Slip.REPLACED: "a letter is replaced",
    Slip.REPLACED_KEY: "a letter is replaced by its neighbour on the keyboard",
    Slip.REPLACED_VOWEL: "a vowel is replaced by a vowel",
    Slip.REPLACED_LOOK: "a letter is replaced by one that looks like it",
    Slip.REPLACED_BIT: "a letter is replaced by one that differs in a bit",
    Slip.DIGIT_IN: "a letter is replaced by a digit",
    Slip.DIGIT_OUT: "a digit is replaced by a letter",
    Slip.OTHER_DIGIT: "a digit is replaced by another",
}

# What a name and its target show by their letters, whether or not these are the same.
BY_LETTERS = {
    "length": Column((4, 5, 6, 7, 8, 9, 10, 12, 14, 18, 24), "the shorter name has {value} letters and digits"),
    "rank": Column((1, 2, 2.5, 3, 3.3, 3.6, 3.9, 4.2), POPULAR),
    "protected": Column(THERE, POPULAR),
    "ecosystem": Column((0.5, 1.5, 2.5, 3.5, 4.5, 5.5), BEFORE, ordered=False),
    "same_owner": Column(THERE, "only their common owner can publish either"),
    "their_owner": Column(THERE, "the target belongs to an owner"),
    "own_owner": Column(THERE, "it belongs to an owner, and the target to none"),
    "marks_left_out": Column(THERE, "punctuation is left out"),
    "marks_added": Column(THERE, "punctuation is added"),
    "marks_moved": Column(THERE, "punctuation stands elsewhere"),
    "marks_exchanged": Column(THERE, "punctuation is exchanged for other punctuation"),
    "foreign_letter": Column(THERE, "a letter of another script or with an accent"),
    "cost": Column((14, 18, 22, 27, 32, 38, 45, 55, 70), LIKELY),
    "cut": Column((10, 14, 18, 22, 26, 30, 36), LIKELY),
    "cut_mean": Column((1, 1.5, 2, 2.5, 3, 3.5, 4), LIKELY),
    "rarest": Column((7, 8, 9, 10, 11, 12, 15), LIKELY),
    "gain": Column((-1, 1, 3, 5, 7, 9, 11, 14, 18), COMPARED),
    "their_cost": Column((10, 13, 16, 19, 23, 28, 35, 45), COMPARED),
    "near_one": Column((1, 2, 3, 5), CROWD),
    "near_two": Column((1, 2, 4, 8, 15), CROWD),
}

# Few honest names are another's letters otherwise written. What slips teach holds there, as far as they don't object.
AROUND = {Group.LETTERS: Group.SLIPS}
# How even the weights of neighbouring ranges are to be. The letters of a name say more the more there is of it, step by
# step; how words and owners count may change from one range to the next.
SMOOTHNESS = {Group.LETTERS: 4.0, Group.SLIPS: 4.0, Group.WORDS: 0.3, Group.OWNERS: 0.3}

DESIGN: dict[Group, dict[str, Column]] = {
    Group.LETTERS: {**BY_LETTERS, "other_capitals": Column(THERE, "other capitals")},
    Group.SLIPS: {
        **BY_LETTERS,
        "slips": Column((1.5,), "number of slips: {value}"),
        "look_alike": Column(THERE, "look-alike letters"),
        "their_word": Column((6, 7, 8, 9, 10, 11, 12), COMPARED),
        "first_letter": Column(THERE, "the first letter is concerned"),
        "last_letter": Column(THERE, "the last letter is concerned"),
        "word_length": Column((3, 4, 5, 6, 8, 10), "the word with the slip has {value} letters"),
        **{slip.value: Column(COUNT, reason) for slip, reason in SLIP_REASONS.items()},
    },
    Group.WORDS: {
        "length": Column((4, 5, 6, 7, 9, 12), "the shorter name has {value} letters and digits"),
        "rank": Column((1.5, 2.5, 3, 3.5, 4), POPULAR),
        "protected": Column(THERE, POPULAR),
        "ecosystem": Column((0.5, 1.5, 2.5, 3.5, 4.5, 5.5), BEFORE, ordered=False),
        "target_word": Column((6, 7, 8, 9, 10, 11, 12), "the target is a rare word|the target is a common word"),
        "word_order": Column(THERE, "the same words in another order"),
        "version_added": Column(THERE, "a version is written behind it"),
        "affix_dropped": Column(THERE, "a word that says little is left out"),
        "affix_exchanged": Column(THERE, "a word that says little is exchanged"),
        "affix_lure": Column(THERE, "the new word promises a repair or another edition"),
        "affix_other": Column(THERE, "the new word says something"),
        "combo_prefix": Column(THERE, "a word is put in front"),
        "combo_suffix": Column(THERE, "a word is put behind"),
        "combo_infix": Column(THERE, "words are put around it"),
        "combo_words": Column((1.5, 2.5), "words beside the name: {value}"),
        "combo_glued": Column(THERE, "the word is glued to it"),
        "combo_mark": Column(THERE, "the word is a mark of a language or a registry"),
        "combo_lure": Column(THERE, "the word promises a repair or another edition"),
        "combo_number": Column(THERE, "the word is a number"),
        "family": Column(
            (0.5, 1, 2, 3, 4), "no popular names are built around the target|popular names are built around the target"
        ),
    },
    Group.OWNERS: {
        "length": Column((5, 7, 9, 12, 16), "the shorter name has {value} letters and digits"),
        "rank": Column((2.5, 3.5, 4), POPULAR),
        "protected": Column(THERE, POPULAR),
        "ecosystem": Column((0.5, 1.5, 2.5, 3.5, 4.5, 5.5), BEFORE, ordered=False),
        "other_owner": Column(THERE, "another owner has a package called the same"),
        "owner_alike": Column(THERE, "the owners' names pass for each other"),
        "owner_added": Column(THERE, "an owner is put before it"),
        "owner_left_out": Column(THERE, "the owner is left out"),
        "owner_flattened": Column(THERE, "the owner is written as a part of the name"),
        "owner_size": Column((2, 5, 10, 30, 100), "popular names of that owner: {value}"),
        "owner_doubled": Column(
            (0.02, 0.1, 0.3),
            "few of its owner's names are popular without owner|many of its owner's names are popular without owner",
        ),
        "base_word": Column((5, 6, 7, 8, 10), WORDS),
        "words": Column((1.5, 2.5), WORDS),
    },
}

# Honest names are called so, too, and hardly any labelled attack is, so these weights are set by hand. Most of it is
# evidence or nothing, next to the most popular targets it is an advisory, and a group's weights together stay below
# suspicious.
STATED: dict[Group, Stated] = {
    Group.MISSPELT: Stated(
        start=-1.9,
        signs={
            "ecosystem": (Column(THERE, HONEST), (0.0,)),
            "length": (Column((7, 10), "the shorter name has {value} letters and digits"), (-0.2, 0.0, 0.1)),
            "rank": (Column((2, 3, 4), POPULAR), (1.2, 0.7, 0.0, -0.8)),
            "rarest": (Column((9, 13), WORDS), (-1.0, -0.3, 0.5)),
        },
    ),
    Group.HINTS: Stated(
        start=-2.8,
        signs={
            # The start is told with it.
            "ecosystem": (Column(THERE, HONEST), (0.0,)),
            "length": (Column((7, 10, 14), "the shorter name has {value} letters and digits"), (-0.6, 0.0, 0.2, 0.3)),
            "rank": (Column((2, 3, 4), POPULAR), (1.4, 0.9, 0.3, -0.4)),
            "kin_form": (Column(THERE, "another form of the same word"), (0.6,)),
            "kin_meaning": (Column(THERE, "a word of kin meaning"), (0.4,)),
            "kin_rest": (
                Column((5, 8, 12), "beside that word, {value} letters and digits are the same"),
                (-0.4, 0.1, 0.3, 0.4),
            ),
            "namesake": (Column(THERE, "a popular package of another registry is called so"), (0.2,)),
        },
    ),
}
