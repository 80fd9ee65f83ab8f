"""wrk, and what it says."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hack.bench.data import NotRun

HERE = Path(__file__).resolve().parent
CONNECTIONS = 64
SUMMARY = re.compile(r"(\d+) requests in ([\d.]+)(us|ms|s|m),")
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load: requests answered, and how many seconds that took."""

    requests: int
    seconds: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def drive(url: str, core: int, seconds: int, script: str | None = None, bodies: Path | None = None) -> Load:
    """Load a server from one core.

    Args:
        url: what to ask.
        core: where wrk runs.
        seconds: for how long at most.
        script: a Lua file beside this one.
        bodies: what that reads.

    Raises:
        NotRun: wrk failed, or an answer was no success.
    """
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    if script:
        command += ["-s", str(HERE / script), url, "--", str(bodies)]
    else:
        command.append(url)
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    found = SUMMARY.search(said.stdout)
    if said.returncode or found is None:
        raise NotRun(f"wrk ended with {said.returncode}:\n{said.stdout}{said.stderr}")
    if "Non-2xx" in said.stdout or "Socket errors" in said.stdout:
        raise NotRun(f"not every request was answered well:\n{said.stdout}")
    return Load(int(found[1]), float(found[2]) * SECONDS[found[3]])
