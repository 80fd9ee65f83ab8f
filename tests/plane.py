"""An isolated control plane, which tests start and stop."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rightsaudit import record

ROOT = Path(__file__).resolve().parents[1]
# With an empty cache its programs are compiled first.
BUILD_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Plane:
    """A control plane of the session's own.

    Attributes:
        folder: where it lives.
        suite: under which name what the operator has asked of it is kept for `make audit-rights`; empty: not at all.
        crowded: whether it is for thousands of objects; then it has a scheduler, too.
    """

    folder: Path
    suite: str = ""
    crowded: bool = False

    @property
    def audit_log(self) -> Path:
        """Where its API server notes who wrote what."""
        return self.folder / "logs" / "audit.log"

    @property
    def pki(self) -> Path:
        """Its certificates, the administrator's among them."""
        return self.folder / "pki"

    def up(self) -> Path:
        """Start it, or what of it does not run; returns the administrator's kubeconfig."""
        return Path(self._run("up").splitlines()[-1])

    def down(self) -> None:
        """Stop it; its data stay."""
        self._run("down")
        if self.suite:
            record.keep(self.suite, self.audit_log)

    def _run(self, action: str) -> str:
        command = [sys.executable, "hack/cluster", "control-plane", "--dir", str(self.folder), action]
        command += ["--crowded"] if self.crowded else []
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
