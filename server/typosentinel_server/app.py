"""Putting one server together."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import SystemRandom

from aiohttp import web

from typosentinel_server import __version__
from typosentinel_server.accesslog import AccessLog
from typosentinel_server.adminports.cache import CachePort
from typosentinel_server.adminports.limits import LimitPort
from typosentinel_server.adminports.pool import PoolPort
from typosentinel_server.adminports.ports import Ports
from typosentinel_server.batches.admission import Batches
from typosentinel_server.batches.tally import BatchTally
from typosentinel_server.benchmarks import Benchmarks
from typosentinel_server.breaker import Breaker
from typosentinel_server.breakermetrics import BreakerCollector
from typosentinel_server.cache import MemoryCache
from typosentinel_server.cache.admin import CacheAdmin
from typosentinel_server.cache.caches import Caches
from typosentinel_server.cache.collector import CacheCollector
from typosentinel_server.cache.preload import Preloader, wanted
from typosentinel_server.clock import Clock
from typosentinel_server.configuration import Reloader, first_configuration, lists_of
from typosentinel_server.engines import Engines, Library
from typosentinel_server.fastlane import LANE, FastLane
from typosentinel_server.health import Health
from typosentinel_server.identifiers import identifiers
from typosentinel_server.keeper import Keeper
from typosentinel_server.keys import SERVER, Server
from typosentinel_server.librarian import Librarian
from typosentinel_server.lifecycle import Lifecycle, Timing
from typosentinel_server.limiting import RateLimits
from typosentinel_server.logs import Log
from typosentinel_server.metrics import Metrics
from typosentinel_server.middleware import AROUND, MAX_BODY_BYTES, Around
from typosentinel_server.providers.gathering import Evidence
from typosentinel_server.providers.pins import Lookup, system_lookup
from typosentinel_server.providers.witness import Witness
from typosentinel_server.ratelimit.collector import LimitCollector
from typosentinel_server.requestring import RequestRing
from typosentinel_server.routes import ROUTES
from typosentinel_server.service import ScanService
from typosentinel_server.settings import Settings
from typosentinel_server.sources import Builtin, Directory, Source
from typosentinel_server.views import HEALTH
from typosentinel_server.workers.pool import Pool
from typosentinel_server.workers.tally import PoolTally


@dataclass(frozen=True, slots=True)
class Setup:
    """What a server is made from, apart from its configuration document.

    Attributes:
        name: who answers, sent as `X-Served-By`.
        library: where lists of popular names come from, whatever the configuration says; None: that decides.
        config: the configuration document; None for the defaults.
        timing: how long things take.
        chance: gives numbers from 0 to 1, to spread the looks of many servers at one source.
        lookup: gives the addresses of providers' hosts.
    """

    name: str
    library: Library | None = None
    config: Path | None = None
    timing: Timing = field(default_factory=Timing)
    chance: Callable[[], float] = field(default_factory=lambda: SystemRandom().random)
    lookup: Lookup = system_lookup


def make_app(setup: Setup, clock: Clock, log: Log) -> web.Application:
    """An application that is ready to serve: lists are read and indexed when this returns.

    Raises:
        ConfigurationInvalid: the document is refused; a list that it names under `detection` is no reason for that.
        CorpusUnreadable: a list of popular names is.
    """
    available = (setup.library or Library()).ecosystems
    configuration = first_configuration(setup.config, clock, available)
    settings = configuration.settings
    log.set_level(settings.log_level)
    metrics = Metrics(__version__)
    memory = settings.cache.memory
    librarian = Librarian(settings, _pinned(setup.library), clock, setup.chance, metrics, log)
    keeper = Keeper(lists_of(settings, setup.config), metrics, log)
    service = ScanService(
        librarian.engines,
        MemoryCache(memory.max_entries, memory.ttl, clock.monotonic),
        metrics,
        clock,
        identifiers(),
    )
    pool = Pool(settings.workers, clock, log, PoolTally(metrics.registry))
    batches = Batches(service, pool, BatchTally(metrics.registry, metrics.scans), clock, identifiers())
    caches = Caches(service.cache, settings.cache, clock, setup.chance)
    metrics.registry.register(CacheCollector(caches))
    preloader = Preloader(
        lambda: wanted(caches.settings.preload, service.engines.listings),
        service.warm,
        clock.monotonic,
        lambda done: log.write.info("verdicts preloaded", **asdict(done)),
    )

    def use(engines: Engines) -> None:
        service.use(engines)
        preloader.outdated()

    librarian.serve(use)
    keeper.serve(service.consult)
    folder = setup.config.parent if setup.config else Path()
    limits = RateLimits(settings.limits, folder, clock.monotonic, log, lambda: uuid.uuid4().hex)
    metrics.registry.register(LimitCollector(limits.limiter))

    def notice(piece: Evidence) -> None:
        log.write.warning("no evidence", provider=piece.provider, package=piece.package, reason=piece.reason)

    witness = Witness(clock, caches.dear, notice, setup.lookup)
    witness.use(settings.providers)
    metrics.registry.register(witness.collector)

    def breakers() -> tuple[Breaker, ...]:
        return (*witness.breakers, *caches.breakers, *limits.breakers)

    metrics.registry.register(BreakerCollector(breakers))

    async def apply(new: Settings) -> None:
        # What can fail comes first.
        prepared = await caches.prepare(new.cache)
        await librarian.follow(new)
        await keeper.follow(lists_of(new, setup.config))
        witness.use(new.providers)
        await limits.follow(new.limits)
        await caches.take(prepared)
        pool.configure(new.workers)
        server.access.every = new.access_log.every
        log.set_level(new.log_level)

    port = CachePort(CacheAdmin(caches))
    reloader = Reloader(setup.config, configuration, apply, available, clock, metrics, log)
    server = Server(
        name=setup.name,
        service=service,
        batches=batches,
        caches=caches,
        preloader=preloader,
        witness=witness,
        benchmarks=Benchmarks(lambda: service.engines, clock, log, lambda: uuid.uuid4().hex),
        reloader=reloader,
        librarian=librarian,
        keeper=keeper,
        lifecycle=Lifecycle(clock, metrics, setup.timing),
        limits=limits,
        metrics=metrics,
        ring=RequestRing(clock.monotonic),
        access=AccessLog(log, settings.access_log.every),
        log=log,
        clock=clock,
        ports=Ports(
            cache=port,
            writer=port,
            workers=PoolPort(pool),
            limits=LimitPort(limits),
            breakers=breakers,
        ),
    )
    around, health = Around(server), Health(server)
    app = web.Application(middlewares=[around.handle], client_max_size=MAX_BODY_BYTES)
    app[SERVER], app[AROUND], app[HEALTH] = server, around, health
    app[LANE] = FastLane(server, around, health)
    app.add_routes(ROUTES)
    app.on_response_prepare.append(around.sign_streamed)
    app.cleanup_ctx.append(_background)
    return app


def _pinned(library: Library | None) -> Source | None:
    if library is None:
        return None
    return Directory(library.directory) if library.directory else Builtin()


async def _background(app: web.Application) -> AsyncIterator[None]:
    server = app[SERVER]
    timing = server.lifecycle.timing
    # Nobody is answered before this function yields, so what is preloaded is there before the server is ready.
    await server.preloader.once()
    await server.caches.share(server.limits.reach)
    tasks = [
        asyncio.create_task(server.lifecycle.beat(), name="heartbeat"),
        asyncio.create_task(server.reloader.run(timing.reload), name="configuration"),
        asyncio.create_task(server.librarian.run(timing.corpus), name="lists"),
        asyncio.create_task(server.keeper.run(timing.reload), name="knowledge"),
        asyncio.create_task(server.benchmarks.work(), name="benchmarks"),
        asyncio.create_task(server.batches.pool.run(), name="workers"),
        asyncio.create_task(
            server.caches.run(lambda event, *, reason: server.log.write.warning(event, reason=reason)), name="caches"
        ),
        asyncio.create_task(server.preloader.run(), name="preload"),
        asyncio.create_task(server.limits.run(timing.reload), name="limits"),
    ]
    yield
    await server.witness.close()
    await server.limits.close()
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await server.batches.pool.close()
