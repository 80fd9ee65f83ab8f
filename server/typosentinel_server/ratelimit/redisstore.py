"""The shared budget in Redis: one script per order, many orders in one exchange."""

import math
from collections.abc import Callable, Sequence
from hashlib import sha1
from importlib.resources import files
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, ResponseError

from typosentinel_server.ratelimit.store import Order, Reply, StoreAway
from typosentinel_server.redislink import RedisAway, RedisLink

LOST: Final = 1
LEAPT: Final = 2
CLOCK_KEY: Final = "typosentinel:limits:clock"


class RedisStore:
    """Budgets in one Redis.

    Args:
        link: the way there.
        replica: a name that no other replica has, and no earlier life of this one had.
        monotonic: the clock, in seconds.
        clock_ms: stands in for Redis' own clock, to try what happens when it is set; None but in tests.
    """

    def __init__(
        self,
        link: RedisLink,
        replica: str,
        monotonic: Callable[[], float],
        clock_ms: Callable[[], int] | None = None,
    ) -> None:
        self._link = link
        self._replica = replica
        self._monotonic = monotonic
        self._clock_ms = clock_ms
        self._script = files(__package__).joinpath("lease.lua").read_bytes()
        # What Redis calls scripts by; nothing is kept secret with it.
        self._sha = sha1(self._script, usedforsecurity=False).hexdigest()
        # Redis' time in ms by the last answer; ours in s when it was asked for, and when it was there.
        self._known_time: tuple[int, float, float] | None = None

    @property
    def patience(self) -> float:
        """Seconds that one call may take at most."""
        return self._link.bounds.timeout

    @property
    def retry_after(self) -> float:
        """Seconds until the breaker lets a call through."""
        return self._link.breaker.retry_after

    async def settle(self, orders: Sequence[Order]) -> list[Reply | None]:
        """The reply to each order, in one exchange; None where that budget can't be kept. Raises StoreAway."""
        try:
            told = await self._link.call(lambda client: self._exchange(client, orders))
        except (RedisAway, ResponseError) as error:
            raise StoreAway(str(error)) from error
        return [None if isinstance(answer, Exception) else _reply(answer) for answer in told]

    async def close(self) -> None:
        """Closes the link."""
        await self._link.close()

    async def _exchange(self, client: Redis, orders: Sequence[Order]) -> list[Any]:
        asked = self._monotonic()
        found = await self._run(client, orders, sure=False)
        if any(isinstance(answer, NoScriptError) for answer in found):
            await client.script_load(self._script)
            found = await self._run(client, orders, sure=False)
        leapt = [n for n, answer in enumerate(found) if not isinstance(answer, Exception) and int(answer[0]) == LEAPT]
        if leapt:
            # Asked again at once, so that a question that lay somewhere for long is not taken for a clock that leapt.
            for n, answer in zip(leapt, await self._run(client, [orders[n] for n in leapt], sure=True), strict=True):
                found[n] = answer
        answers = [answer for answer in found if not isinstance(answer, Exception)]
        if not answers:
            # Out of memory, read-only and the like: it is there, and no use.
            raise next(answer for answer in found if isinstance(answer, Exception))
        self._known_time = (int(answers[-1][5]), asked, self._monotonic())
        return found

    async def _run(self, client: Redis, orders: Sequence[Order], *, sure: bool) -> list[Any]:
        async with client.pipeline(transaction=False) as pipe:
            for order in orders:
                # In a pipeline this only notes the command.
                _ = pipe.evalsha(self._sha, 3, *_keys(order), *self._arguments(order, sure=sure))
            found: list[Any] = await pipe.execute(raise_on_error=False)
        return found

    def _arguments(self, order: Order, *, sure: bool) -> list[str]:
        rule = order.rule
        numbers: list[object] = [
            self._replica,
            order.call,
            int(order.known),
            order.keeps,
            order.needs,
            order.least,
            order.likes,
            rule.requests,
            rule.window * 1000,
            rule.burst,
            round(rule.lease * 1000),
            *self._now_between(),
            int(sure),
            "" if self._clock_ms is None else self._clock_ms(),
        ]
        for call, age, used in order.uses:
            numbers += [call, max(0, int(age * 1000)), used]
        return [str(number) for number in numbers]

    def _now_between(self) -> tuple[object, object]:
        if self._known_time is None:
            return "", ""
        theirs, asked, answered = self._known_time
        now = self._monotonic()
        return theirs + int((now - answered) * 1000), theirs + math.ceil((now - asked) * 1000)


def _keys(order: Order) -> tuple[str, str, str]:
    # Braces: in a cluster both keys of a budget are in one slot.
    name = f"typosentinel:limits:{{{order.budget}}}"
    return name, f"{name}:log", CLOCK_KEY


def _reply(answer: list[Any]) -> Reply:
    status, granted, free, wait, contested = (int(part) for part in answer[:5])
    return Reply(status == LOST, granted, free, wait / 1000, bool(contested))
