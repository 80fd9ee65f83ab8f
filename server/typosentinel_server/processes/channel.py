"""What a supervisor and its processes say to each other: one JSON object a line, over a socket pair."""

import asyncio
import socket
from typing import Any, Self

import orjson

# Metrics of a process take some hundred kilobytes.
MAX_LINE_BYTES = 64 * 2**20

Message = dict[str, Any]


class Channel:
    """One end.

    Args:
        reader: of the other end's lines.
        writer: for ours.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Self:
        """The channel over one end of a pair, which it owns from now on."""
        return cls(*await asyncio.open_connection(sock=end, limit=MAX_LINE_BYTES))

    def send(self, word: str, **content: Any) -> None:
        """Says something; what nobody hears any more is dropped."""
        if not self._writer.is_closing():
            self._writer.write(orjson.dumps({"word": word, **content}) + b"\n")

    async def receive(self) -> Message | None:
        """What the other end says next; None where it says nothing any more."""
        try:
            line = await self._reader.readline()
        except (OSError, ValueError):
            return None
        found: Message | None = orjson.loads(line) if line.endswith(b"\n") else None
        return found

    def close(self) -> None:
        """Says nothing any more."""
        self._writer.close()
