"""Scans at a steady rate, due at their own times whatever the server does; verdicts are held against the right ones."""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

from hack.faults.target import Target
from hack.faults.wire import ANSWER_SECONDS, Answered, answer, ask, scan

# What comes with evidence, or was found to have none, is judged with all that can be known.
KNOWN: Final = frozenset({"used", "absent"})
CALLERS: Final = 5000

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Right:
    """The verdicts of one name: with all evidence, and with none."""

    informed: str
    alone: str


@dataclass(frozen=True, slots=True)
class Done:
    """One scan.

    Attributes:
        due: when it was due, by the monotonic clock.
        seconds: from then to its answer.
        states: what became of asking providers.
    """

    due: float
    seconds: float
    states: tuple[str, ...]


@dataclass
class Steady:
    """Scans of these names, at a rate.

    Attributes:
        targets: asked in turn.
        right: the names and their verdicts.
        rate: scans per second.
        done: those that were answered rightly.
        errors: what went wrong with all others.
    """

    targets: Sequence[Target]
    right: Mapping[str, Right]
    rate: float
    done: list[Done] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _idle: dict[int, deque[Stream]] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Asks until it is told to stop, and waits for the last answers."""
        names, targets = cycle(self.right), cycle(self.targets)
        due, number = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                number += 1
                group.create_task(self._one(next(targets), next(names), number % CALLERS, due))
                due += 1 / self.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        for idle in self._idle.values():
            for _, writer in idle:
                writer.close()

    def p99_ms(self, since: float, until: float) -> float:
        """Milliseconds within which 99 of 100 scans that were due in between were answered; 0 where there were none."""
        found = sorted(one.seconds for one in self.done if since <= one.due < until)
        return round(found[int(0.99 * len(found))] * 1000, 2) if found else 0.0

    def states(self, since: float, until: float) -> Counter[str]:
        """What became of asking providers for scans that were due in between."""
        return Counter(state for one in self.done if since <= one.due < until for state in one.states)

    async def _one(self, target: Target, name: str, caller: int, due: float) -> None:
        idle = self._idle.setdefault(target.port, deque())
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                stream = idle.popleft() if idle else await asyncio.open_connection(target.host, target.port)
                stream[1].write(question(name, caller))
                got = await answer(stream[0])
        except (OSError, EOFError, TimeoutError) as error:
            self.errors.append(f"{name}: {type(error).__name__}: {error}")
            return
        idle.append(stream)
        wrong, states = self.judged(name, got)
        if wrong:
            self.errors.append(wrong)
        else:
            self.done.append(Done(due, time.monotonic() - due, states))

    def judged(self, name: str, got: Answered) -> tuple[str, tuple[str, ...]]:
        """What is wrong with an answer, empty for nothing, and what became of asking providers."""
        if got.status != 200:  # noqa: PLR2004 - fine
            return f"{name}: {got.status} {got.code}", ()
        body = json.loads(got.body)
        states = tuple(piece["state"] for piece in body.get("evidence") or ())
        right, known = self.right[name], KNOWN.intersection(states)
        if not states or known.issuperset(states):
            allowed = {right.informed}
        else:
            # Evidence about one of the two packages alone may come to either.
            allowed = {right.informed, right.alone} if known else {right.alone}
        said = body["verdict"]
        return ("" if said in allowed else f"{name}: {said} with {states}, not {allowed}"), states


def question(name: str, caller: int = 0) -> bytes:
    """The bytes of a scan for a caller of that number, as a proxy in front would pass them on."""
    address = f"10.{caller >> 16}.{caller >> 8 & 255}.{caller & 255}"
    return scan(b"X-Forwarded-For: " + address.encode(), body=json.dumps({"ecosystem": "PyPI", "name": name}).encode())


async def verdict(target: Target, name: str) -> tuple[str, tuple[str, ...]]:
    """What a server says of a name now, and what became of asking providers."""
    body = json.loads((await ask(target.host, target.port, question(name))).body)
    return body["verdict"], tuple(piece["state"] for piece in body.get("evidence") or ())
