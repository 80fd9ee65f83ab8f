"""The wire of kube-apiserver: paths of objects, and answers as objects or errors. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import orjson

from typosentinel_operator.errors import ClusterError, Conflict, Refused
from typosentinel_operator.names import Kind

Manifest = dict[str, Any]

NOT_FOUND: Final = 404
CONFLICT: Final = 409
GONE: Final = 410
REFUSED: Final = frozenset({400, 403, 405, 413, 415, 422})


class Listing(NamedTuple):
    """All objects of a kind, and the version of the cluster in which they were."""

    items: list[Manifest]
    version: str


def path(kind: Kind, namespace: str | None, name: str | None = None) -> str:
    """Path of a kind, of one object of it, or of those of one namespace."""
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
    scope = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{root}{scope}/{kind.plural}" + (f"/{quote(name, safe='')}" if name else "")


def parsed(what: str, status: int, text: bytes) -> Manifest:
    """The object in an answer; a proxy in between may answer with anything.

    Args:
        what: what was asked, for the message.
        status: of HTTP.
        text: the body.

    Raises:
        ClusterError: it is none.
    """
    try:
        found = orjson.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ClusterError(f"{what}: the answer is not an object of Kubernetes", status=status)
    return found


def failure(what: str, status: int, headers: Mapping[str, str], text: bytes) -> ClusterError:
    """The error in an answer."""
    try:
        words = str(orjson.loads(text)["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        words = text[:200].decode(errors="replace")
    message = f"{what}: {status} {words}"
    # Another object has taken the name of the one that was to be changed.
    if status == CONFLICT or "metadata.uid: Invalid value" in words:
        return Conflict(message, status=status)
    # An unknown field in an apply is answered with 500, though no repetition will mend it.
    if status in REFUSED or "field not declared in schema" in words:
        return Refused(message, status=status)
    seconds = headers.get("Retry-After", "")
    return ClusterError(
        message, status=status, retry_after=float(seconds) if re.fullmatch(r"\d{1,4}", seconds) else None
    )
