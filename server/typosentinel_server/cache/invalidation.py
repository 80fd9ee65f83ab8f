"""What has been invalidated: a short log that every cached thing is compared with when it is read.

Nothing is searched for and deleted. A record carries the number of the last invalidation that its maker knew of; a
later one that is about it makes it worthless wherever it lies, also where it is being made just now.
"""

from dataclasses import dataclass
from typing import Final

from typosentinel_server.cache.names import Glob, Kind

MAX_EACH: Final = 512


@dataclass(frozen=True, slots=True)
class Invalidation:
    """One invalidation.

    Attributes:
        number: later ones have higher numbers.
        kind: how it picks.
        text: the key, pattern or tag; empty for all.
    """

    number: int
    kind: Kind
    text: str


class InvalidationLog:
    """The latest invalidations. What was dropped from it counts as an invalidation of everything before.

    Attributes:
        latest: the highest number seen.
        floor: whatever was made knowing less than this is worthless.
    """

    def __init__(self) -> None:
        self.latest = 0
        self.floor = 0
        self._keys: dict[str, int] = {}
        self._tags: dict[str, int] = {}
        self._patterns: dict[str, tuple[int, Glob]] = {}

    def add(self, made: Invalidation) -> None:
        """Takes in an invalidation; one that is known already changes nothing."""
        self.latest = max(self.latest, made.number)
        if made.number <= self.floor:
            return
        if made.kind is Kind.ALL:
            self.raise_floor(made.number)
        elif made.kind is Kind.PATTERN:
            number = max(made.number, self._patterns.pop(made.text, (0, None))[0])
            self._patterns[made.text] = (number, Glob(made.text))
            if len(self._patterns) > MAX_EACH:
                self.raise_floor(min(number for number, _ in self._patterns.values()))
        else:
            held = self._keys if made.kind is Kind.KEY else self._tags
            held[made.text] = max(made.number, held.pop(made.text, 0))
            if len(held) > MAX_EACH:
                self.raise_floor(min(held.values()))

    def raise_floor(self, number: int) -> None:
        """Invalidates everything that was made knowing less than this."""
        if number <= self.floor:
            return
        self.floor = number
        self.latest = max(self.latest, number)
        self.forget(number)

    def forget(self, number: int) -> None:
        """Forgets invalidations up to this one: nothing that they could be about is left."""
        self._keys = {text: n for text, n in self._keys.items() if n > number}
        self._tags = {text: n for text, n in self._tags.items() if n > number}
        self._patterns = {text: held for text, held in self._patterns.items() if held[0] > number}

    def covers(self, name: str, tags: tuple[str, ...], epoch: int) -> bool:
        """Whether something was invalidated after its maker had seen the invalidation `epoch`."""
        if epoch >= self.latest:
            return False
        if epoch < self.floor or self._keys.get(name, 0) > epoch:
            return True
        if any(self._tags.get(tag, 0) > epoch for tag in tags):
            return True
        return any(number > epoch and glob.matches(name) for number, glob in self._patterns.values())
