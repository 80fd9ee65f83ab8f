"""Heads of requests that were parsed before.

Clients send the same head again and again. What the library's parser made of it then holds for the same bytes now, so
that there is one opinion on what they mean, and not a second parser that could have another.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs
from aiohttp.http import RawRequestMessage

# Heads of more bytes are parsed each time, and so many are kept at most in each of two generations.
LONGEST: Final = 1024
MOST: Final = 512
END: Final = b"\r\n\r\n"
# Where the stream of a connection's bytes stands is not known any more.
LOST: Final = -1


@dataclass(slots=True, eq=False)
class Head:
    """A parsed head.

    Attributes:
        message: what the library made of it.
        length: bytes of the body that it announces.
        noted: what whoever answers such requests has found out about it.
    """

    message: RawRequestMessage
    length: int
    noted: object = None


class Heads:
    """Remembers heads. What is not asked for goes after a while: the young ones push the old ones out."""

    def __init__(self) -> None:
        self._young: dict[bytes, Head] = {}
        self._old: dict[bytes, Head] = {}

    def find(self, head: bytes) -> Head | None:
        """What these bytes mean, if that is known."""
        found = self._young.get(head)
        if found is None:
            found = self._old.get(head)
            if found is not None:
                self.keep(head, found)
        return found

    def keep(self, head: bytes, known: Head) -> None:
        """Remembers what these bytes mean."""
        if len(head) <= LONGEST:
            if len(self._young) >= MOST:
                self._old, self._young = self._young, {}
            self._young[head] = known


def measured(data: bytes, message: object) -> tuple[bytes, Head] | None:
    """The head at the start of some bytes, and what it means; None where it is not plain enough to know where it ends.

    Args:
        data: what came, from a head's first byte on.
        message: the first that the library made of it.
    """
    if (
        not isinstance(message, RawRequestMessage)
        or message.chunked
        or message.upgrade
        or message.should_close
        or message.compression is not None
        # A parser passes over empty lines before a head; what ends there would be a head of nothing but them.
        or not data.startswith(f"{message.method} ".encode())
    ):
        return None
    head = data[: data.find(END) + len(END)]
    # A parser that takes less for the end of a line would have seen another end of the head.
    if not head.endswith(END) or head.count(b"\n") != head.count(b"\r\n"):
        return None
    length = message.headers.get(hdrs.CONTENT_LENGTH, "0")
    return (head, Head(message, int(length))) if length.isascii() and length.isdigit() else None
