"""The operator as a process of its own, which tests start, stop and kill."""

import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from probed_process import ProbedProcess

IMAGE = "registry.example/typosentinel-server:1.0.0"
RESYNC_SECONDS = 5
# Duration, deadline and retry of an election, as the chart has them.
AS_SHIPPED = (15, 10.0, 2.0)


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


class Operator(ProbedProcess):
    """One operator process at a time.

    Args:
        kubeconfig: as whom it speaks to the API server.
        candidacy: as whom it leads.
        port: of its probes.
        log: where its output goes.
        namespaces: those that it watches; none: all.
        resync_seconds: how often it looks at everything again.
        others: variables beside these.
    """

    def __init__(
        self,
        kubeconfig: Path,
        candidacy: Candidacy,
        port: int,
        log: Path,
        namespaces: Sequence[str] = (),
        resync_seconds: float = RESYNC_SECONDS,
        others: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(port, log)
        self.kubeconfig = kubeconfig
        self.candidacy = candidacy
        self.namespaces = ",".join(namespaces)
        self.resync_seconds = resync_seconds
        # A program that runs it, and its arguments: a profiler.
        self.under: tuple[str, ...] = ()
        self.others = dict(others or {})

    def start(self, *, wait: bool = True) -> None:
        """Start it unless it runs, and wait until it has seen everything once or stands by."""
        if self.running:
            return
        variables = {
            "TYPOSENTINEL_SERVER_IMAGE": IMAGE,
            "TYPOSENTINEL_RESYNC_SECONDS": str(self.resync_seconds),
            "TYPOSENTINEL_WATCH_NAMESPACES": self.namespaces,
        }
        arguments = ("run", "--kubeconfig", str(self.kubeconfig))
        self._launch(arguments, self.candidacy.variables() | variables | self.others, self.under)
        if wait:
            self.await_ready()

    def kill_now(self) -> None:
        """End it without a warning, and do not wait for that; from any thread."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)

    def crashes(self) -> list[str]:
        """Lines of its log that should not be there."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if "Traceback" in line or "crashed" in line]

    def tell(self, which: signal.Signals) -> None:
        """Send it a signal, and wait for nothing."""
        assert self._process is not None
        self._process.send_signal(which)

    def hold(self) -> None:
        """Let it stand still, as a machine does that has no time for it."""
        self.tell(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run on."""
        self.tell(signal.SIGCONT)

    def await_end(self, seconds: float) -> int:
        """Wait until it ends by itself; returns its exit code."""
        assert self._process is not None
        code = self._process.wait(seconds)
        self._process = None
        return code

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
