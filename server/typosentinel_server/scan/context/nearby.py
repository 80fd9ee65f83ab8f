"""Names one edit away, among a few thousand."""

from collections.abc import Iterable

from typosentinel_server.scan.spelling import edits

SHORTEST = 5


class Nearby:
    """Texts that are found by any text one edit away: a letter more, less or other, or two neighbours swapped.

    Args:
        texts: those to be found; any shorter than five characters are too like too much and left out.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._filed: dict[str, list[str]] = {}
        for text in sorted({text for text in texts if len(text) >= SHORTEST}):
            for key in (text, *_shorter(text)):
                self._filed.setdefault(key, []).append(text)

    def get(self, text: str) -> list[str]:
        """The texts one edit away, sorted. As many probes as the text has characters, and one."""
        keys = {text} | _shorter(text)
        candidates = {candidate for key in keys for candidate in self._filed.get(key, ())}
        return sorted(candidate for candidate in candidates if _one_edit(text, candidate))


def _shorter(text: str) -> set[str]:
    return {text[:i] + text[i + 1 :] for i in range(len(text))}


def _one_edit(one: str, other: str) -> bool:
    found = edits(one, other)
    return found is not None and len(found) == 1
