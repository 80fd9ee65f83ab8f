"""How the signs are cut into ranges, and what the score card says of each.

A sign that is not named here weighs nothing. The cuts are round numbers chosen by hand from what the signs
mean; only the weights are fitted.
"""

from typing import NamedTuple

from typosentinel_server.scan.evidence import Group
from typosentinel_server.scan.spelling import Slip


class Column(NamedTuple):
    """One sign: where it is cut, the reason that its contribution gives, and whether its ranges have an order."""

    cuts: tuple[float, ...]
    reason: str
    ordered: bool = True


FLAG = (0.5,)
COUNT = (0.5, 1.5)

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

RANK = Column((1, 2, 2.5, 3, 3.3, 3.6, 3.9, 4.2), "popularity of the target: rank 10^{value}")
ECOSYSTEM = Column((0.5, 1.5, 2.5, 3.5, 4.5, 5.5), "how common attacks are in this ecosystem", ordered=False)
PROTECTED = Column(FLAG, "the target is at the top of its list")

DESIGN: dict[Group, dict[str, Column]] = {
    Group.SLIPS: {
        "length": Column((4, 5, 6, 7, 8, 9, 10, 12, 14, 18, 24), "the shorter name has {value} letters and digits"),
        "rank": RANK,
        "protected": PROTECTED,
        "ecosystem": ECOSYSTEM,
        "same_owner": Column(FLAG, "both belong to one owner"),
        "their_owner": Column(FLAG, "the target belongs to an owner"),
        "slips": Column(COUNT, "number of slips: {value}"),
        "marks_left_out": Column(FLAG, "punctuation is left out"),
        "marks_added": Column(FLAG, "punctuation is added"),
        "marks_moved": Column(FLAG, "punctuation stands elsewhere"),
        "marks_exchanged": Column(FLAG, "punctuation is exchanged for other punctuation"),
        "foreign_letter": Column(FLAG, "a letter of another script or with an accent"),
        "look_alike": Column(FLAG, "look-alike letters"),
        "other_capitals": Column(FLAG, "other capitals"),
        "owner_flattened": Column(FLAG, "the owner is written as a part of the name"),
        "cost": Column((14, 18, 22, 27, 32, 38, 45, 55, 70), "the letters follow each other at a cost of {value} nats"),
        "cost_mean": Column((1.7, 2.0, 2.3, 2.6, 2.9, 3.2, 3.6), "that is {value} nats a letter"),
        "cost_most": Column((4, 5, 6, 7, 8, 9), "its unlikeliest letter costs {value} nats"),
        "gain": Column((-1, 1, 3, 5, 7, 9, 11, 14, 18), "its letters cost {value} nats more than the target's"),
        "gain_mean": Column((0.1, 0.3, 0.5, 0.7, 0.9, 1.2, 1.5), "that is {value} nats a letter more"),
        "their_cost": Column((10, 13, 16, 19, 23, 28, 35, 45), "the target's letters cost {value} nats"),
        "cut": Column((10, 14, 18, 22, 26, 30, 36), "cut into known words it costs {value} nats"),
        "cut_mean": Column((1, 1.5, 2, 2.5, 3, 3.5, 4), "cut into known words it costs {value} nats a letter"),
        "rarest": Column((7, 8, 9, 10, 11, 12, 15), "its rarest word costs {value} nats"),
        "near_one": Column((1, 2, 3, 5), "{value} popular names are one slip away"),
        "near_two": Column((1, 2, 4, 8, 15), "{value} popular names are two slips away"),
        "first_letter": Column(FLAG, "the first letter is concerned"),
        "last_letter": Column(FLAG, "the last letter is concerned"),
        "word": Column((7, 8, 9, 10, 11, 12, 15), "the word with the slip costs {value} nats"),
        "their_word": Column((6, 7, 8, 9, 10, 11, 12), "the target's word there costs {value} nats"),
        "word_length": Column((3, 4, 5, 6, 8, 10), "the word with the slip has {value} letters"),
        **{slip.value: Column(COUNT, reason) for slip, reason in SLIP_REASONS.items()},
    },
    Group.WORDS: {
        "length": Column((4, 5, 6, 7, 9, 12), "the shorter name has {value} letters and digits"),
        "rank": Column((1.5, 2.5, 3, 3.5, 4), RANK.reason),
        "protected": PROTECTED,
        "ecosystem": ECOSYSTEM,
        "target_word": Column((6, 7, 8, 9, 10, 11, 12), "as a word the target costs {value} nats"),
        "word_order": Column(FLAG, "the same words in another order"),
        "version_added": Column(FLAG, "a version is written behind it"),
        "affix_dropped": Column(FLAG, "a word that says little is left out"),
        "affix_exchanged": Column(FLAG, "a word that says little is exchanged"),
        "affix_lure": Column(FLAG, "the new word promises a repair or another edition"),
        "affix_other": Column(FLAG, "the new word says something"),
        "combo_prefix": Column(FLAG, "a word is put in front"),
        "combo_suffix": Column(FLAG, "a word is put behind"),
        "combo_infix": Column(FLAG, "words are put around it"),
        "combo_words": Column((1.5, 2.5), "words beside the name: {value}"),
        "combo_glued": Column(FLAG, "the word is glued to it"),
        "combo_mark": Column(FLAG, "the word is a mark of a language or a registry"),
        "combo_lure": Column(FLAG, "the word promises a repair or another edition"),
        "combo_number": Column(FLAG, "the word is a number"),
        "family": Column((0.5, 1, 2, 3, 4), "popular names built around the target: e^{value}"),
    },
    Group.OWNERS: {
        "length": Column((5, 7, 9, 12, 16), "the shorter name has {value} letters and digits"),
        "rank": Column((2.5, 3.5, 4), RANK.reason),
        "protected": PROTECTED,
        "ecosystem": ECOSYSTEM,
        "other_owner": Column(FLAG, "another owner has a package called the same"),
        "owner_added": Column(FLAG, "an owner is put before it"),
        "owner_left_out": Column(FLAG, "the owner is left out"),
        "owner_flattened": Column(FLAG, "the owner is written as a part of the name"),
        "owner_size": Column((2, 5, 10, 30, 100), "popular names of that owner: {value}"),
        "owner_doubled": Column((0.02, 0.1, 0.3), "share of them that are popular without owner too: {value}"),
        "base_word": Column((5, 6, 7, 8, 10), "its commonest word costs {value} nats"),
        "words": Column((1.5, 2.5), "the name has {value} words"),
    },
}
