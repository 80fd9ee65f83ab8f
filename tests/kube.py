"""kubectl as tests use it: JSON in, JSON out, and waiting that says what it waited for."""

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Manifest = dict[str, Any]
Found = TypeVar("Found")

CALL_SECONDS = 60.0
POLL_SECONDS = 0.2


class KubectlFailed(AssertionError):
    """kubectl ended with another code than 0; the message is its own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call of kubectl came to.

    Attributes:
        code: exit code.
        out: standard output.
        err: standard error.
    """

    code: int
    out: str
    err: str


class Kubectl:
    """Calls one kubectl, which already knows its cluster.

    Args:
        path: the program and the arguments that stand before everything else, e.g. ``--kubeconfig=…``.
    """

    def __init__(self, path: Sequence[str]) -> None:
        self.path = tuple(path)

    def attempt(self, *arguments: str, stdin: str | None = None, seconds: float = CALL_SECONDS) -> Answer:
        """Call it and tell what came of it, whatever that is."""
        done = subprocess.run(
            [*self.path, *arguments], input=stdin, capture_output=True, text=True, timeout=seconds, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def run(self, *arguments: str, stdin: str | None = None, seconds: float = CALL_SECONDS) -> str:
        """Call it and return what it printed.

        Raises:
            KubectlFailed: it ended with another code than 0.
        """
        answer = self.attempt(*arguments, stdin=stdin, seconds=seconds)
        if answer.code:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: {answer.err.strip() or answer.out.strip()}")
        return answer.out

    def apply(self, *manifests: Manifest, arguments: Sequence[str] = ()) -> None:
        """Apply manifests on the server's side, as a user does who owns what they wrote."""
        self.run("apply", "--server-side", "--force-conflicts", *arguments, "-f", "-", stdin=document(*manifests))

    def try_apply(self, *manifests: Manifest) -> Answer:
        """Try to apply manifests, of which the API server may not want to know."""
        return self.attempt("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=document(*manifests))

    def get_json(self, kind: str, name: str, namespace: str | None = None) -> Manifest | None:
        """One object, or None where there is none."""
        out = self.run("get", kind, name, *_scope(namespace), "--ignore-not-found", "-o=json", "--show-managed-fields")
        found: Manifest | None = json.loads(out) if out.strip() else None
        return found

    def require(self, kind: str, name: str, namespace: str | None = None) -> Manifest:
        """One object that must be there."""
        found = self.get_json(kind, name, namespace)
        if found is None:
            raise KubectlFailed(f"{kind} {namespace or ''}/{name} is not there")
        return found

    def list_json(self, kind: str, namespace: str | None = None, selector: str | None = None) -> list[Manifest]:
        """All objects of a kind (or of several, comma-separated), of one namespace or of all."""
        scope = _scope(namespace) if namespace else ["--all-namespaces"]
        labels = [f"--selector={selector}"] if selector else []
        items: list[Manifest] = json.loads(self.run("get", kind, *scope, *labels, "-o=json", "--show-managed-fields"))[
            "items"
        ]
        return items

    def patch(self, kind: str, name: str, namespace: str, change: Manifest, *, by: str = "somebody") -> None:
        """Merge a change into an object, as the field manager `by`."""
        body = json.dumps(change)
        self.run("patch", kind, name, *_scope(namespace), "--type=merge", f"--field-manager={by}", f"--patch={body}")

    def delete(self, kind: str, name: str, namespace: str | None = None, *, wait: bool = True) -> None:
        """Delete an object; that it has gone already is no failure."""
        self.run("delete", kind, name, *_scope(namespace), "--ignore-not-found", f"--wait={str(wait).lower()}")

    def condition(self, kind: str, name: str, namespace: str, wanted: str) -> tuple[str, str]:
        """Status and reason of a condition; ("", "") where there is none yet."""
        found = self.require(kind, name, namespace)
        for condition in found.get("status", {}).get("conditions", []):
            if condition["type"] == wanted:
                return condition["status"], condition.get("reason", "")
        return "", ""

    def wait_for_condition(
        self, kind: str, name: str, namespace: str, wanted: tuple[str, str, str], seconds: float
    ) -> None:
        """Wait until a condition holds, given as (type, status, reason)."""
        aspect, *rest = wanted
        seen = ("", "")

        def holds() -> bool:
            nonlocal seen
            seen = self.condition(kind, name, namespace, aspect)
            return seen == tuple(rest)

        self.wait_until(holds, seconds, lambda: f"{kind} {namespace}/{name} has {wanted}; last seen: {aspect} {seen}")

    def wait_until(
        self,
        predicate: Callable[[], Found],
        seconds: float,
        what: str | Callable[[], str],
        *,
        every: float = POLL_SECONDS,
    ) -> Found:
        """Call `predicate` until it answers with something true, and return that.

        Raises:
            AssertionError: it has not within `seconds`; the message says what was waited for.
        """
        deadline = time.monotonic() + seconds
        while True:
            found = predicate()
            if found:
                return found
            if time.monotonic() > deadline:
                words = what if isinstance(what, str) else what()
                raise AssertionError(f"not within {seconds:g} s: {words}")
            time.sleep(every)


def document(*manifests: Manifest) -> str:
    """Manifests as one JSON document that kubectl reads."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})


def _scope(namespace: str | None) -> list[str]:
    return [f"--namespace={namespace}"] if namespace else []
