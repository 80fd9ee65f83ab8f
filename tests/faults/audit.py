"""The API server's audit log: who wrote what, and what came of it."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CREATED = 201


@dataclass(frozen=True, slots=True)
class Entry:
    """One request as the API server has noted it.

    Attributes:
        user: who asked; a ServiceAccount is `system:serviceaccount:NAMESPACE:NAME`.
        verb: of RBAC: server-side apply is a patch.
        group: of the API; the core group is the empty string.
        resource: its plural.
        subresource: empty for the object itself.
        namespace: empty for what has none.
        name: of the object; empty where the API server chose it, and for collections.
        status: of HTTP.
        dry: whether nothing was to come of it.
        received: when, in RFC 3339 with microseconds and in UTC, so that it sorts.
        credential: which of the user's tokens it was, by its `jti`; empty for other credentials.
        allowed: whether the user had the right to it.
    """

    user: str
    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    status: int
    dry: bool
    received: str = ""
    credential: str = ""
    allowed: bool = True

    @property
    def writes(self) -> bool:
        """Whether it can have changed something."""
        return self.verb not in {"get", "list", "watch"} and not self.dry

    @property
    def took_effect(self) -> bool:
        """Whether the API server has carried it out."""
        return 200 <= self.status < 300

    @property
    def created(self) -> bool:
        """Whether an object is there now that was not: an apply says so by its status."""
        return self.verb in {"create", "patch"} and self.status == CREATED and not self.subresource


class AuditLog:
    """Reads a log that is being written.

    Args:
        path: the file.
        position: bytes of it that are of no interest.
    """

    def __init__(self, path: Path, position: int = 0) -> None:
        self._path = path
        self._position = position

    def skip(self) -> None:
        """Forget what there is up to now."""
        self._position = self._path.stat().st_size if self._path.exists() else 0

    def entries(self) -> Iterator[Entry]:
        """What has been noted since it was asked last, or skipped; a line that is half written is left for then."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._position)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._position += len(line)
                if (entry := _entry(line)) is not None:
                    yield entry


def made_and_removed(entries: Iterator[Entry], namespace: str, agent: str) -> Counter[str]:
    """How often somebody made or removed each object of a namespace: as "create deployments/front-scanner".

    Args:
        entries: of the log.
        namespace: where.
        agent: whose doing, by the end of the user's name.
    """
    counts: Counter[str] = Counter()
    for entry in entries:
        if entry.namespace != namespace or not entry.user.endswith(agent) or not entry.took_effect or entry.dry:
            continue
        if entry.created and entry.resource != "events":
            counts[f"create {entry.resource}/{entry.name}"] += 1
        elif entry.verb == "delete":
            counts[f"delete {entry.resource}/{entry.name}"] += 1
    return counts


def _credential(user: dict[str, Any]) -> str:
    found: list[str] = user.get("extra", {}).get("authentication.kubernetes.io/credential-id", [])
    return next((one.removeprefix("JTI=") for one in found if one.startswith("JTI=")), "")


def _entry(line: bytes) -> Entry | None:
    found = json.loads(line)
    about = found.get("objectRef")
    if about is None:
        return None
    return Entry(
        user=found["user"]["username"],
        verb=found["verb"],
        group=about.get("apiGroup", ""),
        resource=about.get("resource", ""),
        subresource=about.get("subresource", ""),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        status=found.get("responseStatus", {}).get("code", 0),
        dry="dryRun=" in found.get("requestURI", ""),
        received=found.get("requestReceivedTimestamp", ""),
        credential=_credential(found["user"]),
        allowed=found.get("annotations", {}).get("authorization.k8s.io/decision") != "forbid",
    )
