"""What the operator asks of the API server, read from the request line: verb, resource, object."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PATH = re.compile(
    r"^/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<subresource>[^/]+))?$"
)
_WRITES = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request, in the words of RBAC and of audit logs.

    Attributes:
        verb: get, list, watch, create, update, patch, apply or delete.
        group: of the API; the core group is the empty string.
        resource: its plural; the path where it is none of a resource (`/readyz`).
        namespace: empty for what has none.
        name: of the object; empty for collections.
        subresource: empty for the object itself.
        dry: whether nothing is to come of it.
    """

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    dry: bool = False

    @classmethod
    def of(cls, method: str, path: str, query: Mapping[str, str], content_type: str = "") -> "Call":
        """The call that a request line makes."""
        found = _PATH.match(path)
        if found is None:
            return cls(_WRITES.get(method, "get"), "", path)
        name = found["name"] or ""
        verb = _WRITES.get(method) or ("get" if name else "list")
        if method == "GET" and query.get("watch") in {"true", "1"}:
            verb = "watch"
        if content_type.startswith("application/apply-patch"):
            verb = "apply"
        return cls(
            verb,
            found["group"] or "",
            found["resource"],
            found["namespace"] or "",
            name,
            found["subresource"] or "",
            dry="dryRun" in query,
        )

    @property
    def writes(self) -> bool:
        """Whether it can change something; a leader's renewal of its Lease changes nothing that matters."""
        return self.verb not in {"get", "list", "watch"} and not self.dry and self.resource != "leases"

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}".strip("/")
        return " ".join(part for part in (self.verb, self.resource, self.subresource, where) if part)
