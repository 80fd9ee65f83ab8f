"""kubectl of one cluster as a Python object; its errors in its own words."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 330


class KubectlError(Exception):
    """A command failed, or the cluster does not hold what it should."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Runs kubectl.

    Attributes:
        path: of the program; it knows its kubeconfig.
    """

    path: str

    def run(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Standard output of one command.

        Raises:
            KubectlError: it failed and `check` is on.
        """
        done = subprocess.run(
            [self.path, *arguments], input=stdin, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
        )
        if check and done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout if not done.returncode else done.stdout + done.stderr

    def json(self, *arguments: str) -> dict[str, Any]:
        """One command's answer as an object."""
        answer: dict[str, Any] = json.loads(self.run(*arguments, "-o", "json"))
        return answer

    def get(self, kind: str, name: str, namespace: str) -> dict[str, Any]:
        """One object."""
        return self.json("get", kind, name, "-n", namespace)
