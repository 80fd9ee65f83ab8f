"""What an application carries, under typed keys."""

from dataclasses import dataclass

from aiohttp import web

from typosentinel_server.accesslog import AccessLog
from typosentinel_server.adminports.ports import Ports
from typosentinel_server.batches.admission import Batches
from typosentinel_server.benchmarks import Benchmarks
from typosentinel_server.cache.caches import Caches
from typosentinel_server.cache.preload import Preloader
from typosentinel_server.clock import Clock
from typosentinel_server.configuration import Reloader
from typosentinel_server.keeper import Keeper
from typosentinel_server.librarian import Librarian
from typosentinel_server.lifecycle import Lifecycle
from typosentinel_server.limiting import RateLimits
from typosentinel_server.logs import Log
from typosentinel_server.metrics import Metrics
from typosentinel_server.providers.witness import Witness
from typosentinel_server.ratelimit.policy import Decision
from typosentinel_server.requestring import RequestRing
from typosentinel_server.service import ScanService


@dataclass(frozen=True, slots=True)
class Server:
    """The parts of one running server.

    Attributes:
        name: who answers, such as the pod's name; sent as `X-Served-By`.
        service: the use cases.
        batches: many questions at once, and the workers for them.
        caches: what is answered from before.
        preloader: judges names before anybody asks.
        witness: evidence from metadata providers.
        benchmarks: measurements of the methods.
        reloader: the configuration in effect.
        librarian: the lists of popular names.
        keeper: the lists that say more than a name.
        lifecycle: liveness and drain.
        limits: how many requests a caller may send.
        metrics: the collectors.
        ring: the last requests.
        access: one line for some of them.
        log: where log lines go.
        clock: both clocks.
        ports: the parts that can be looked after by hand.
    """

    name: str
    service: ScanService
    batches: Batches
    caches: Caches
    preloader: Preloader
    witness: Witness
    benchmarks: Benchmarks
    reloader: Reloader
    librarian: Librarian
    keeper: Keeper
    lifecycle: Lifecycle
    limits: RateLimits
    metrics: Metrics
    ring: RequestRing
    access: AccessLog
    log: Log
    clock: Clock
    ports: Ports


SERVER = web.AppKey("SERVER", Server)

REQUEST_ID = web.RequestKey("REQUEST_ID", str)

# What the limits said of this request last.
DECISION = web.RequestKey("DECISION", Decision)
