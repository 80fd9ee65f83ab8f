"""The faults themselves: each is handed one exchange, and decides what becomes of it."""

import asyncio
import json
from collections.abc import Callable

from multidict import CIMultiDict

from faults.proxy import Answer, Exchange, Fault

NEVER_SECONDS = 3600.0


async def reset_before(exchange: Exchange) -> None:
    """The connection breaks before the API server hears of it."""
    exchange.reset()


async def reset_after(exchange: Exchange) -> None:
    """It is carried out, and the connection breaks before the caller hears of that."""
    await exchange.forward()
    exchange.reset()


async def silence(exchange: Exchange) -> None:
    """Nobody answers, and the connection stays."""
    await asyncio.sleep(NEVER_SECONDS)
    exchange.reset()


def delay(seconds: float) -> Fault:
    """It takes longer."""

    async def fault(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await exchange.pass_on()

    return fault


def refuse(status: int, reason: str = "InternalError", retry_after: int | None = None) -> Fault:
    """The API server answers with an error, as it would.

    Args:
        status: of HTTP.
        reason: in the words of a Status object.
        retry_after: seconds, or None for no such header.
    """

    async def fault(exchange: Exchange) -> None:
        said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status}
        headers = CIMultiDict({"Content-Type": "application/json"})
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        await exchange.deliver(Answer(status, headers, json.dumps(said | {"message": "injected"}).encode()))

    return fault


def watch_error(code: int, reason: str) -> Fault:
    """A watch begins well, and its first line is an error."""

    async def fault(exchange: Exchange) -> None:
        said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
        line = json.dumps({"type": "ERROR", "object": said | {"message": "injected"}}) + "\n"
        await exchange.deliver(Answer(200, CIMultiDict({"Content-Type": "application/json"}), line.encode()))

    return fault


def cut_after(seconds: float) -> Fault:
    """It is passed on for so long, and then the connection breaks."""

    async def fault(exchange: Exchange) -> None:
        try:
            async with asyncio.timeout(seconds):
                await exchange.pass_on()
        except TimeoutError:
            exchange.reset()

    return fault


def crash_before(kill: Callable[[], None]) -> Fault:
    """The caller dies with its request unsent."""

    async def fault(exchange: Exchange) -> None:
        kill()
        exchange.reset()

    return fault


def crash_unanswered(kill: Callable[[], None]) -> Fault:
    """The caller dies when its request has been carried out, and never hears of it."""

    async def fault(exchange: Exchange) -> None:
        await exchange.forward()
        kill()
        exchange.reset()

    return fault


def crash_after(kill: Callable[[], None]) -> Fault:
    """The caller dies as soon as it has its answer."""

    async def fault(exchange: Exchange) -> None:
        await exchange.deliver(await exchange.forward())
        kill()

    return fault
