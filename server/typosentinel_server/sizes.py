"""Sizes as Kubernetes writes quantities of bytes: `512Ki`, `64Mi`, `1Gi`, `2048`."""

import re

UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 10**3, "M": 10**6, "G": 10**9}
PATTERN = re.compile(r"([0-9]{1,15})(Ki|Mi|Gi|k|M|G)?")
ALLOWED = 'bytes as whole numbers, also with the units Ki, Mi, Gi, k, M, G, such as "64Mi"'


def parse_size(text: str) -> int:
    """A number of bytes.

    Raises:
        ValueError: the text is none of the quantities that are read here.
    """
    found = PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(f"a size is {ALLOWED}")
    return int(found[1]) * UNITS[found[2] or ""]
