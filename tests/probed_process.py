"""One of the operator's programs as a process of its own, which tests start, stop, kill and ask by its probes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

ADDRESS = "127.0.0.1"
# On a machine that has much else to do, too.
START_SECONDS = 60.0
END_SECONDS = 30.0


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server((ADDRESS, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class ProbedProcess:
    """One process at a time.

    Args:
        port: of its probes.
        log: where its output goes.
    """

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of its process, which must run."""
        assert self._process is not None
        return self._process.pid

    def await_ready(self) -> None:
        """Wait until its probe says that it is ready."""
        deadline = time.monotonic() + START_SECONDS
        while self.ask("/readyz")[0] != 200:
            assert self.running, f"it has ended: {self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"not ready in {START_SECONDS:g} s: {self.log.read_text()[-2000:]}"
            time.sleep(0.1)

    def stop(self) -> int | None:
        """Ask it to end, as Kubernetes does; returns its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a warning."""
        self._end(signal.SIGKILL)

    def ask(self, path: str) -> tuple[int, str]:
        """HTTP status and text of one of its probes; status 0 where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{ADDRESS}:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def _launch(self, arguments: Sequence[str], variables: Mapping[str, str], under: Sequence[str] = ()) -> None:
        """Start it with these variables and none of ours besides; `under` runs it, and its arguments."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("TYPOSENTINEL_", "KUBE"))}
        probes = {"TYPOSENTINEL_PROBE_HOST": ADDRESS, "TYPOSENTINEL_PROBE_PORT": str(self.port)}
        program = Path(sys.executable).with_name("typosentinel-operator")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*under, str(program), *arguments], env=inherited | probes | dict(variables), stdout=log, stderr=log
            )

    def _end(self, how: signal.Signals) -> int | None:
        if self._process is None:
            return None
        self._process.send_signal(how)
        code = self._process.wait(END_SECONDS)
        self._process = None
        return code
