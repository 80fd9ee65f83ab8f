"""All names that a registry has: what is not among them cannot be installed today.

A name is kept as 64 bits of its hash, so that five million names take 40 MB. A name that is none of them passes for
one with a chance of one in 10^12.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from typosentinel_server.scan.context.evidence import Asked, Judged, found
from typosentinel_server.scan.model import Contribution, Ecosystem, Technique, Verdict
from typosentinel_server.scan.naming import RULES

BUCKETS = 256
MAX_NAMES = 2**23
WORD = (1 << 64) - 1
# As likely as not: a slip or an invention of a language model, and nothing that can be installed so far.
UNKNOWN_WEIGHT = 0.0


class RegistryIndex:
    """The names of one registry.

    Args:
        ecosystem: whose registry.
        batches: its names, in the registry's spelling, batch by batch; empty ones and repeated ones are left out.

    Raises:
        ValueError: there are more than 2^23 names.
    """

    def __init__(self, ecosystem: Ecosystem, batches: Iterable[Iterable[str]]) -> None:
        self.ecosystem = ecosystem
        self._identity = RULES[ecosystem].identity
        # Sorted piece by piece: one great sort would take five times the memory of the result.
        buckets = [array("Q") for _ in range(BUCKETS)]
        count = 0
        for batch in batches:
            for value in map(hash, map(self._identity, filter(None, batch))):
                buckets[value & (BUCKETS - 1)].append(value & WORD)
                count += 1
            if count > MAX_NAMES:
                raise ValueError(f"it has more than {MAX_NAMES} names")
        for n, bucket in enumerate(buckets):
            buckets[n] = array("Q", sorted(set(bucket)))
        self._buckets = buckets
        self._count = sum(map(len, buckets))

    def __len__(self) -> int:
        return self._count

    def __contains__(self, identity: str) -> bool:
        value = hash(identity) & WORD
        bucket = self._buckets[value & (BUCKETS - 1)]
        place = bisect_left(bucket, value)
        return place < len(bucket) and bucket[place] == value

    def findings(self, asked: Asked) -> tuple[Judged, ...]:
        """An advisory for a name that the registry doesn't have.

        It leaves other findings as they are: a name that nobody holds is neither more nor less like a popular one.
        Popular names are not looked up, nor those of which the asker has shown that they exist.
        """
        if asked.result.known or asked.exists or asked.name.identity in self:
            return ()
        finding = found(
            Technique.UNKNOWN_NAME,
            asked.result.normalized,
            f"{self.ecosystem} has no package of this name, so it cannot be installed today, and anybody may take it",
            Contribution("not in the index of the registry", UNKNOWN_WEIGHT),
        )
        return (Judged(finding, Verdict.ADVISORY),)
