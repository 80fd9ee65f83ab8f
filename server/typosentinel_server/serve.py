"""Running a server until it is told to stop, and stopping without losing a request."""

import asyncio
import gc
import resource
import signal
from dataclasses import dataclass

from aiohttp import web

from typosentinel_server import __version__
from typosentinel_server.administration.app import Administration, beside
from typosentinel_server.app import Setup, make_app
from typosentinel_server.clock import Clock
from typosentinel_server.configuration import Reloader
from typosentinel_server.front import Runner
from typosentinel_server.keys import SERVER
from typosentinel_server.logs import Log
from typosentinel_server.processes.ports import cannot_listen
from typosentinel_server.processes.supervised import SUPERVISED, Supervised

# After the drain, balancers that are slower than it get this much more before nobody listens any more.
LATECOMERS_SECONDS = 3.0
BACKLOG = 512
# Objects made before the youngest are looked at, and how often the older ones are.
COLLECTOR_THRESHOLDS = (20_000, 20, 50)
# So many descriptors are enough for all connections; more would make room for nothing but mistakes.
DESCRIPTORS = 65_536


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int


async def serve(
    setup: Setup,
    address: Address,
    clock: Clock,
    log: Log,
    administration: Administration | None = None,
    supervised: int | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT; SIGHUP has it look at its configuration at once.

    SIGTERM drains first: readiness goes off while requests are still answered. SIGINT, and a second signal, skip
    the wait for that. No connection is accepted any more then, and running requests get `timing.shutdown` seconds.

    Args:
        setup: what the server is made from.
        address: where to listen.
        clock: both clocks.
        log: where log lines go.
        administration: a port of its own for it, open to the end; None: there is none.
        supervised: the open end of a supervisor's channel, where there is one.

    Raises:
        DomainError: an address cannot be listened on, the configuration, a list or the token is refused.
    """
    told = _signals()
    _raise_descriptors()
    app = make_app(setup, clock, log)
    app.cleanup_ctx.append(beside(administration))
    # The indexes stay for good: without them the collector's pauses are short. Hardly anything that a scan makes refers
    # to itself; with Python's own thresholds the collector would walk through the caches all the time and find nothing.
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    supervisor = None if supervised is None else await Supervised.over(supervised)
    if supervisor is not None:
        app[SUPERVISED] = supervisor
    looks = _look_on_hangup(app[SERVER].reloader)
    runner = Runner(app)
    await runner.setup()
    try:
        if not await _listen(runner, address, told):
            return
        host, port = runner.addresses[0][:2]
        log.write.info(
            "listening",
            address=f"http://{f'[{host}]' if ':' in host else host}:{port}",
            version=__version__,
            ecosystems=[e.value for e in app[SERVER].service.engines.ecosystems],
            configuration=app[SERVER].reloader.current.digest or "defaults",
        )
        await _until_stopped(runner, told, log)
    finally:
        await runner.cleanup()
        for look in looks:
            look.cancel()
        if supervisor is not None:
            await supervisor.close()
    log.write.info("stopped")


async def _listen(runner: Runner, address: Address, told: "asyncio.Queue[signal.Signals]") -> bool:
    """Whether requests are taken now; not where we were told to stop before."""
    supervisor = runner.app.get(SUPERVISED)
    try:
        if supervisor is None:
            await web.TCPSite(runner, address.host, address.port, backlog=BACKLOG).start()
            runner.bound_buffers()
            return True
        metrics = runner.app[SERVER].metrics
        bound = asyncio.create_task(supervisor.listen(address.host, address.port, metrics))
        stop = asyncio.create_task(told.get())
        await asyncio.wait((bound, stop), return_when=asyncio.FIRST_COMPLETED)
        if not bound.done():
            bound.cancel()
            return False
        stop.cancel()
        await web.SockSite(runner, bound.result(), backlog=BACKLOG).start()
        runner.bound_buffers()
        supervisor.listening()
    except (OSError, OverflowError) as error:
        raise cannot_listen(address.host, address.port, error) from error
    return True


def _look_on_hangup(reloader: Reloader) -> set[asyncio.Task[None]]:
    """Looks at the configuration at each SIGHUP; the set holds the looks that are going on."""
    looks: set[asyncio.Task[None]] = set()

    def look() -> None:
        task = asyncio.create_task(reloader.look())
        looks.add(task)
        task.add_done_callback(looks.discard)

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, look)
    return looks


def _raise_descriptors() -> None:
    # Systems start programs with few for the sake of some that use select(2).
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _signals() -> asyncio.Queue[signal.Signals]:
    told: asyncio.Queue[signal.Signals] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.put_nowait, number)
    return told


async def _until_stopped(runner: Runner, told: asyncio.Queue[signal.Signals], log: Log) -> None:
    first = await told.get()
    log.write.info("stopping", signal=first.name)
    leave = asyncio.create_task(_leave(runner, drain=first is signal.SIGTERM))
    hurry = asyncio.create_task(told.get())
    await asyncio.wait((leave, hurry), return_when=asyncio.FIRST_COMPLETED)
    for task in (leave, hurry):
        task.cancel()
    await asyncio.gather(leave, hurry, return_exceptions=True)


async def _leave(runner: Runner, *, drain: bool) -> None:
    lifecycle = runner.app[SERVER].lifecycle
    if drain:
        await lifecycle.drain()
    await runner.close_door(patience=LATECOMERS_SECONDS if drain else 0)
    await lifecycle.finish()
    await runner.part()
