"""The server that is asked: a real one with small lists, open to any number of wrong tokens.

`python -m hack.fuzz.api.server DIRECTORY`, where the directory holds `lists/` and `token`.
"""

import asyncio
import sys
import time
from pathlib import Path

from typosentinel_server.administration.app import Administration
from typosentinel_server.app import Setup
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Library
from typosentinel_server.lifecycle import Timing
from typosentinel_server.logs import Log
from typosentinel_server.serve import Address, serve
from typosentinel_server.settings import LogLevel

# Whoever tries every operation without its token must not be told to come back later.
GUESSES = 10**9


def main(folder: Path) -> None:
    """Serve until told to stop."""
    asyncio.run(
        serve(
            Setup(name="fuzzed", library=Library(folder / "lists"), timing=Timing(drain=0.0)),
            Address("127.0.0.1", 0),
            Clock(wall=time.time, monotonic=time.monotonic),
            Log("json", LogLevel.INFO),
            Administration(folder / "token", port=0, delay=0.0, guesses=GUESSES),
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
