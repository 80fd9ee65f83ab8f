"""A real `typosentinel serve` whose caches fill themselves before it listens: `python -m hack.bench.cacheserver …`.

It takes the arguments of `typosentinel serve`. Verdicts are those of slips in popular names, which have most to tell;
evidence is what registries say, in entries of 2 KiB.
"""

import json
import os
import random

from aiohttp import web

from hack.bench.cachestream import SEED, name_of
from hack.bench.names import edited
from typosentinel_server import serve as serving
from typosentinel_server.__main__ import main
from typosentinel_server.app import Setup, make_app
from typosentinel_server.clock import Clock
from typosentinel_server.errors import DomainError
from typosentinel_server.keys import SERVER
from typosentinel_server.logs import Log

EVIDENCE_BYTES = 2048


async def fill(app: web.Application) -> None:
    """Fills both caches in memory up to their bounds."""
    server = app[SERVER]
    rng = random.Random(SEED)  # noqa: S311 - the same in every run
    names = [(listing.ecosystem, name) for listing in server.service.engines.listings for name in listing.names]
    verdicts = server.caches.verdicts
    while not sum(verdicts.statistics.evictions.values()):
        ecosystem, name = rng.choice(names)
        try:
            server.service.warm(ecosystem, edited(name, rng))
        except DomainError:
            continue
    dear, number = server.caches.dear, 0
    while not sum(dear.statistics.evictions.values()):
        await dear.put(name_of(number), os.urandom(EVIDENCE_BYTES // 2).hex().encode(), ("registry",))
        number += 1
    held = {tier: [found.entries, found.bytes] for tier, found in server.caches.tiers.items()}
    print(json.dumps(held), flush=True)


def filled(setup: Setup, clock: Clock, log: Log) -> web.Application:
    """The application, which fills its caches when it starts."""
    app = make_app(setup, clock, log)
    app.on_startup.append(fill)
    return app


if __name__ == "__main__":
    # The command makes its application by this name.
    vars(serving)["make_app"] = filled
    main()
