"""The operator as a process of its own, which tests start, stop and kill."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

IMAGE = "registry.example/typosentinel-server:1.0.0"
RESYNC_SECONDS = 5
START_SECONDS = 20.0


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@dataclass(frozen=True, slots=True)
class Candidacy:
    """As whom and for how long an operator leads; times in seconds.

    By default it leads until it is stopped: longer than any test takes the API server away, and whoever is started
    anew under the same name needs no time to take the Lease back.

    Attributes:
        namespace: of the Lease.
        lease: its name.
        identity: name of the pod.
        duration: how long others wait for it.
        deadline: how long it goes on without a renewal.
        retry: between two renewals or looks.
    """

    namespace: str
    lease: str
    identity: str
    duration: int = 120
    deadline: float = 90.0
    retry: float = 2.0

    def variables(self) -> dict[str, str]:
        """The settings that say so."""
        return {
            "TYPOSENTINEL_POD_NAMESPACE": self.namespace,
            "TYPOSENTINEL_POD_NAME": self.identity,
            "TYPOSENTINEL_LEASE_NAME": self.lease,
            "TYPOSENTINEL_LEASE_DURATION_SECONDS": str(self.duration),
            "TYPOSENTINEL_RENEW_DEADLINE_SECONDS": str(self.deadline),
            "TYPOSENTINEL_RETRY_PERIOD_SECONDS": str(self.retry),
        }


class Operator:
    """One operator process at a time.

    Args:
        kubeconfig: as whom it speaks to the API server.
        candidacy: as whom it leads.
        port: of its probes.
        log: where its output goes.
        namespaces: those that it watches; none: all.
        resync_seconds: how often it looks at everything again.
    """

    def __init__(
        self,
        kubeconfig: Path,
        candidacy: Candidacy,
        port: int,
        log: Path,
        namespaces: Sequence[str] = (),
        resync_seconds: float = RESYNC_SECONDS,
    ) -> None:
        self.kubeconfig = kubeconfig
        self.candidacy = candidacy
        self.port = port
        self.log = log
        self.namespaces = ",".join(namespaces)
        self.resync_seconds = resync_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait: bool = True) -> None:
        """Start it unless it runs, and wait until it has seen everything once or stands by."""
        if self.running:
            return
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("TYPOSENTINEL_", "KUBE"))}
        environment = (
            inherited
            | self.candidacy.variables()
            | {
                "TYPOSENTINEL_SERVER_IMAGE": IMAGE,
                "TYPOSENTINEL_PROBE_HOST": "127.0.0.1",
                "TYPOSENTINEL_PROBE_PORT": str(self.port),
                "TYPOSENTINEL_RESYNC_SECONDS": str(self.resync_seconds),
                "TYPOSENTINEL_WATCH_NAMESPACES": self.namespaces,
            }
        )
        program = Path(sys.executable).with_name("typosentinel-operator")
        with self.log.open("ab") as log:
            command = [str(program), "run", "--kubeconfig", str(self.kubeconfig)]
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        if wait:
            self.await_ready()

    def await_ready(self) -> None:
        """Wait until it has seen everything once, or stands by."""
        deadline = time.monotonic() + START_SECONDS
        while self.ask("/readyz")[0] != 200:
            assert self.running, f"the operator has ended: {self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"not ready in {START_SECONDS:g} s: {self.log.read_text()[-2000:]}"
            time.sleep(0.1)

    def stop(self) -> int | None:
        """Ask it to end, as Kubernetes does; returns its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a warning."""
        self._end(signal.SIGKILL)

    def kill_now(self) -> None:
        """The same without waiting for its end; from any thread."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)

    def crashes(self) -> list[str]:
        """Lines of its log that should not be there."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if "Traceback" in line or "crashed" in line]

    def hold(self) -> None:
        """Let it stand still, as a machine does that has no time for it."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run on."""
        self._signal(signal.SIGCONT)

    def await_end(self, seconds: float) -> int:
        """Wait until it ends by itself; returns its exit code."""
        assert self._process is not None
        code = self._process.wait(seconds)
        self._process = None
        return code

    def _signal(self, which: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(which)

    def _end(self, how: signal.Signals) -> int | None:
        if self._process is None:
            return None
        self._process.send_signal(how)
        code = self._process.wait(30)
        self._process = None
        return code

    def ask(self, path: str) -> tuple[int, str]:
        """HTTP status and text of one of its probes; status 0 where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def value(self, metric: str) -> float | None:
        """A metric without labels; None where it is not told."""
        _, text = self.ask("/metrics")
        found = re.search(rf"^typosentinel_operator_{metric} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else None

    def writes(self) -> dict[str, float]:
        """Writes to the API server since its start, by verb and kind."""
        _, text = self.ask("/metrics")
        found = re.findall(
            r'^typosentinel_operator_writes_total\{kind="(\w+)",verb="(\w+)"\} (\S+)$', text, re.MULTILINE
        )
        return {f"{verb} {kind}": float(count) for kind, verb, count in found}
