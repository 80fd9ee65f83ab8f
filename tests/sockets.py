"""Servers that do not behave, on real sockets."""

import asyncio
from collections.abc import Awaitable, Callable

Behavior = Callable[[asyncio.StreamWriter], Awaitable[None]]


def saying(answer: bytes) -> Behavior:
    """A server that says just this and hangs up."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return behave


def answering(status: str, body: bytes, *headers: str) -> Behavior:
    """A server that speaks HTTP."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return saying("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


async def hanging(_: asyncio.StreamWriter) -> None:
    """A server that takes the request and never answers."""
    await asyncio.Event().wait()


async def endless(writer: asyncio.StreamWriter) -> None:
    """A server whose body never ends."""
    writer.write(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"items": ["')
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def dripping(writer: asyncio.StreamWriter) -> None:
    """A server that never lets the gap between two bytes grow long, and never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)
