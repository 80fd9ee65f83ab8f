"""One limit over three servers: clients who want more than it allows of every server, and what they got."""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from hack.faults.redisserver import RedisServer
from hack.faults.row import Row
from hack.faults.steady import question
from hack.faults.target import Target, started
from hack.faults.wire import ANSWER_SECONDS, Answered, answer

REPLICAS: Final = 3
CLIENTS: Final = 20
PAUSE_SECONDS: Final = 0.02
# Up to here a limit is held to the request.
EXACT: Final = 20
MOST, LEAST = 1.01, 0.97
FIELDS: Final = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-window", "ratelimit-policy", "ratelimit")

# When something was asked and answered.
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit.

    Attributes:
        requests: in any window.
        window: seconds.
        burst: at once.
    """

    requests: int
    window: int
    burst: int


@dataclass
class Got:
    """What the clients of one server got.

    Attributes:
        allowed: requests that were.
        asked: when each request was sent, allowed or not.
        wrong: what was neither allowed nor refused as it should be.
    """

    allowed: list[Span] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def took(self, asked: float, got: Answered) -> None:
        """Notes an answer."""
        self.asked.append(asked)
        missing = [name for name in FIELDS if name not in got.headers]
        if got.status == 429 and "retry-after" not in got.headers:  # noqa: PLR2004 - fine
            missing.append("retry-after")
        if missing or got.status not in (200, 429):
            self.wrong.append(f"{got.status} {got.code} without {missing}")
        elif got.status == 200:  # noqa: PLR2004 - fine
            self.allowed.append((asked, time.monotonic()))


def most(spans: Sequence[Span], window: float) -> int:
    """The most that were for certain allowed within any window of that length: asked and answered within it."""
    ordered = sorted(spans)
    best = 0
    for n, (start, _) in enumerate(ordered):
        within = 0
        for asked, answered in ordered[n:]:
            if asked >= start + window:
                break
            within += answered < start + window
        best = max(best, within)
    return best


def per_window(moments: Sequence[float], since: float, until: float, window: float) -> list[int]:
    """How many there were in each whole window, one after another, from a moment up to another.

    Windows that begin anywhere would not do: a burst comes back all at once when it has left the window, and one that
    begins just after it and ends just before it comes back lacks all of it, however prompt the server is.
    """
    ordered = sorted(moments)
    edges = [since + n * window for n in range(int((until - since) / window) + 1)]
    return [bisect_left(ordered, end) - bisect_left(ordered, start) for start, end in pairwise(edges)]


async def shared_limit(folder: Path, quota: Quota, seconds: float) -> Row:
    """Three servers hold one limit together while every one is asked for more than all of it."""
    row = Row(f"{quota.requests} in {quota.window} s over {REPLICAS} servers")
    redis = RedisServer(folder)
    await asyncio.to_thread(redis.start)
    targets: list[Target] = []
    try:
        for _ in range(REPLICAS):
            document = _document(redis.url, quota)
            targets.append(await asyncio.to_thread(started, folder, document, "--drain-seconds", "0"))
        got = await _demanded(targets, seconds)
    finally:
        for target in targets:
            await asyncio.to_thread(target.stop)
        redis.stop()
    judge(row, quota, got)
    return row


async def _demanded(targets: Sequence[Target], seconds: float) -> list[Got]:
    found = [Got() for _ in targets]
    end = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for target, got in zip(targets, found, strict=True):
            for _ in range(CLIENTS):
                group.create_task(_client(target, got, end))
    return found


async def _client(target: Target, got: Got, end: float) -> None:
    async with asyncio.timeout(end - time.monotonic() + ANSWER_SECONDS):
        reader, writer = await asyncio.open_connection(target.host, target.port)
        while (asked := time.monotonic()) < end:
            writer.write(question("requests"))
            got.took(asked, await answer(reader))
            await asyncio.sleep(PAUSE_SECONDS)
        writer.close()


def judge(row: Row, quota: Quota, found: Sequence[Got]) -> None:
    """Holds what the clients of each server got against the limit."""
    wrong = [one for got in found for one in got.wrong]
    row.wants(not wrong, f"{len(wrong)} answers are wrong, the first: {wrong[:1]}")
    spans = [span for got in found for span in got.allowed]
    if not spans:
        row.wants(spans, "nothing was allowed")
        return
    # From the first request on: no request of a later window can have been counted before that window began. Up to the
    # last moment at which everybody still asked.
    since, until = min(at for got in found for at in got.asked), min(max(got.asked) for got in found)
    wanted = min(count for got in found for count in per_window(got.asked, since, until, quota.window))
    over = most(spans, quota.window)
    under = min(per_window([answered for _, answered in spans], since, until, quota.window))
    ceiling = quota.requests if quota.requests <= EXACT else quota.requests * MOST
    row.wants(wanted > quota.requests, f"a server was asked for {wanted} in a window, so nothing was shown")
    row.wants(over <= ceiling, f"{over} were allowed in a window")
    row.wants(under >= quota.requests * LEAST, f"only {under} were allowed in a window")
    row.figures |= {
        "over": round(over / quota.requests, 4),
        "under": round(under / quota.requests, 4),
        "demand": round(wanted / quota.requests, 2),
        "allowed": len(spans),
        "refused": sum(len(got.asked) - len(got.allowed) for got in found),
    }


def _document(url: str, quota: Quota) -> dict[str, object]:
    rule = {"requests": quota.requests, "window": f"{quota.window}s", "burst": quota.burst}
    # On a busy machine an answer of Redis may take longer than the default allows.
    return {"cache": {"redis": {"url": url, "timeout": "1s"}}, "limits": {"default": rule}}
