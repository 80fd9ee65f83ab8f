"""Administrative ports that listen, and clients that know their tokens."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from running import Running

TOKEN = "a" * 20 + "0123456789-and-more"
QUICK = 0.02


@dataclass(frozen=True)
class Admin:
    """An administrative port that listens, and a client that knows the token."""

    server: Running
    http: ClientSession
    url: str
    token_file: Path


Open = Callable[..., Awaitable[Admin]]


async def code(answer: Any) -> str:
    """The code of an error."""
    found: str = (await answer.json())["error"]["code"]
    return found
