"""Which keys stand beside each other on a QWERTY keyboard."""

ROWS = ("1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm")
# How far each row is shifted to the right, in quarters of a key.
SHIFTS = (0, 2, 3, 5)
REACH = 5

PLACES = {key: (row, 4 * column + SHIFTS[row]) for row, keys in enumerate(ROWS) for column, key in enumerate(keys)}


def adjacent(one: str, other: str) -> bool:
    """Whether a finger can slip from one key to the other; False for what is no single known key."""
    if one == other or one not in PLACES or other not in PLACES:
        return False
    (row, place), (other_row, other_place) = PLACES[one], PLACES[other]
    return abs(row - other_row) <= 1 and abs(place - other_place) <= REACH - (row != other_row)
