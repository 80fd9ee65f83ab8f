"""What Redis and a provider may do to a server under load, each with what must hold.

No scan fails and no verdict is wrong, whatever it is. Latencies are told, and never a reason to fail.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from hack.faults.row import Row
from hack.faults.scene import PROVIDER, PROVIDER_SECONDS, REDIS_LINKS, Scene, opened, state

REFUSED: Final = 'typosentinel_cache_writes_total{result="refused"}'
ALONE: Final = "typosentinel_rate_limit_fail_open_total"
# Beyond the provider's timeout: a machine may be busy, and a scan waits for Redis as well.
LENIENT_SECONDS: Final = 1.5

Step = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things may take, in seconds.

    Attributes:
        quiet: before a fault, to compare with.
        fault: how long one lasts.
        opened: until breakers are open; what the design promises is one second.
        back: until all is as before; what the design promises is ten.
    """

    quiet: float = 3.0
    fault: float = 5.0
    opened: float = 1.0
    back: float = 10.0


async def away(scene: Scene, pace: Pace, name: str, went: Step, came: Step) -> Row:
    """Redis is gone for a while: both links open their breakers in time, and are in use again in time."""
    watch = await _Watch.begun(scene, pace, name)
    await asyncio.to_thread(went)
    took = await scene.until(lambda found: opened(found, *REDIS_LINKS), pace.opened)
    watch.row.wants(took is not None, f"not all breakers were open after {pace.opened:g} s")
    watch.row.figures["open_s"] = -1.0 if took is None else took
    await asyncio.sleep(pace.fault)
    await asyncio.to_thread(came)
    return await watch.ended()


async def killed(scene: Scene, pace: Pace) -> Row:
    """Redis is killed, and started again empty."""
    return await away(scene, pace, "redis killed", scene.redis.kill, scene.redis.start)


async def held(scene: Scene, pace: Pace) -> Row:
    """Redis takes connections and commands, and answers none."""
    return await away(scene, pace, "redis black-holed", scene.redis.hold, scene.redis.release)


async def flapping(scene: Scene, pace: Pace) -> Row:
    """Half a second there, half a second not, for twice the time of a fault."""
    watch = await _Watch.begun(scene, pace, "redis flapping")
    for _ in range(round(2 * pace.fault)):
        scene.redis.hold()
        await asyncio.sleep(0.5)
        scene.redis.release()
        await asyncio.sleep(0.5)
    return await watch.ended()


async def wiped(scene: Scene, pace: Pace) -> Row:
    """Redis has forgotten everything, scripts included; nobody takes that for a failure of it."""
    watch = await _Watch.begun(scene, pace, "redis wiped")
    await asyncio.to_thread(scene.redis.forget)
    await asyncio.sleep(min(1.0, pace.fault))
    for found in await scene.samples():
        shut = [link for link in REDIS_LINKS if not opened(found, link)]
        watch.row.wants(len(shut) == len(REDIS_LINKS), f"a breaker is open: only {shut} are closed")
    return await watch.ended()


async def full(scene: Scene, pace: Pace) -> Row:
    """Redis is empty and takes nothing: its refusals are answers, so no breaker opens."""
    watch = await _Watch.begun(scene, pace, "redis full")
    before = await scene.samples()
    await asyncio.to_thread(scene.redis.forget)
    await asyncio.to_thread(scene.redis.fill)
    await asyncio.sleep(pace.fault)
    for old, found in zip(before, await scene.samples(), strict=True):
        watch.row.wants(not any(opened(found, link) for link in REDIS_LINKS), "a breaker is open though Redis answers")
        watch.row.wants(found.get(REFUSED, 0.0) > old.get(REFUSED, 0.0), "nothing was refused, so nothing was shown")
    await asyncio.to_thread(scene.redis.widen)
    return await watch.ended()


async def provider_hangs(scene: Scene, pace: Pace) -> Row:
    """The provider takes questions and answers none: scans come in time without its evidence, later at once."""
    watch = await _Watch.begun(scene, pace, "provider hangs")
    scene.registry.answering.clear()
    # What Redis has of it would do for an hour.
    await asyncio.to_thread(scene.redis.forget)
    begun = time.monotonic()
    took = await scene.until(lambda found: opened(found, PROVIDER), PROVIDER_SECONDS + pace.opened)
    watch.row.wants(took is not None, "the provider's breaker was not open in time")
    watch.row.figures["open_s"] = -1.0 if took is None else took
    # Whoever asked before it opened still waits.
    settled = time.monotonic() + PROVIDER_SECONDS
    await asyncio.sleep(2 * PROVIDER_SECONDS + pace.fault)
    now = time.monotonic()
    first, later = scene.load.states(begun, settled), scene.load.states(settled, now - PROVIDER_SECONDS)
    asked, refused = later["timeout"], later["unavailable"]
    watch.row.wants(first["timeout"], f"nothing was in want of evidence: {first}")
    watch.row.wants(refused > 10 * asked, f"with the breaker open {asked} waited and {refused} did not")
    longest = max((one.seconds for one in scene.load.done if one.due >= begun), default=0.0)
    watch.row.wants(longest < PROVIDER_SECONDS + LENIENT_SECONDS, f"a scan took {longest:.2f} s")
    watch.row.figures["longest_ms"] = round(longest * 1000, 2)
    watch.row.figures["p99_ms_open"] = scene.load.p99_ms(settled, now - PROVIDER_SECONDS)
    scene.registry.answering.set()
    row = await watch.ended()
    closed = await scene.until(lambda found: state(found, PROVIDER) == "closed", pace.back)
    row.wants(closed is not None, f"the provider is not asked again within {pace.back:g} s")
    return row


OUTAGES: Final[tuple[Callable[[Scene, Pace], Awaitable[Row]], ...]] = (
    killed,
    held,
    flapping,
    wiped,
    full,
    provider_hangs,
)


@dataclass
class _Watch:
    """What the load saw, from a quiet while before a fault to the end of it."""

    scene: Scene
    pace: Pace
    row: Row
    calm: float
    fault: float
    errors: int
    done: int
    alone: float

    @classmethod
    async def begun(cls, scene: Scene, pace: Pace, name: str) -> "_Watch":
        calm, errors, done = time.monotonic(), len(scene.load.errors), len(scene.load.done)
        await asyncio.sleep(pace.quiet)
        alone = sum(found[ALONE] for found in await scene.samples())
        return cls(scene, pace, Row(name), calm, time.monotonic(), errors, done, alone)

    async def ended(self) -> Row:
        row, load = self.row, self.scene.load
        over = time.monotonic()
        took = await self.scene.until_in_use(self.pace.back)
        row.wants(took is not None, f"not everything was in use again after {self.pace.back:g} s")
        row.figures["back_s"] = -1.0 if took is None else took
        # What was due before the end of it has its answer, or has failed.
        await asyncio.sleep(PROVIDER_SECONDS)
        new = load.errors[self.errors :]
        row.wants(not new, f"{len(new)} scans failed, the first: {new[:1]}")
        row.figures["scans"] = len(load.done) - self.done
        row.figures["failed"] = len(new)
        calm, during = load.p99_ms(self.calm, self.fault), load.p99_ms(self.fault, over)
        row.figures |= {"p99_ms_before": calm, "p99_ms": during, "added_p99_ms": round(during - calm, 2)}
        states = load.states(self.fault, over)
        row.figures["without_evidence"] = sum(count for one, count in states.items() if one not in ("used", "absent"))
        row.figures["limits_alone"] = sum(found[ALONE] for found in await self.scene.samples()) - self.alone
        return row
