"""The only room that speaks to kube-apiserver: get, list, apply, delete, patch, events, a Lease.

Objects are plain dicts. Paths are made from `names.Kind`, so no discovery is needed: no right to read it, no cache on
disk. Every request has a deadline, no write outlasts our leadership, and no exception of the client library leaves
this file.
"""

import asyncio
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Self
from urllib.parse import quote

import aiohttp
import yaml
from kubernetes.aio import client, config
from kubernetes.aio.config.config_exception import ConfigException

from typosentinel_operator import names
from typosentinel_operator.errors import ClusterError, Conflict, Permanent, Refused
from typosentinel_operator.names import Kind
from typosentinel_operator.telemetry import Telemetry

Manifest = dict[str, Any]

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
JSON = {"Accept": "application/json", "Content-Type": "application/json"}
PAGE = 500
NOT_FOUND = 404
CONFLICT = 409
REFUSED = frozenset({400, 403, 405, 413, 415, 422})
# What the library raises over a kubeconfig that is no YAML, lacks a part, or names certificates that are none.
_UNUSABLE = (ConfigException, OSError, ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError)


class Cluster:
    """A client of one API server.

    Args:
        api: the library's client, already configured.
        telemetry: counts writes.
        timeout: seconds allowed to one request.
        tenure: seconds for which we may go on writing; none are left to who does not lead.
    """

    def __init__(
        self, api: client.ApiClient, telemetry: Telemetry, timeout: float, tenure: Callable[[], float]
    ) -> None:
        self._api = api
        self._writes = telemetry.writes
        self._timeout = timeout
        self._tenure = tenure

    @classmethod
    async def connect(
        cls,
        telemetry: Telemetry,
        timeout: float,  # noqa: ASYNC109 - of requests to come
        user_agent: str,
        kubeconfig: str | None,
        tenure: Callable[[], float] = lambda: math.inf,
    ) -> Self:
        """Connect as the pod's ServiceAccount, or by a kubeconfig outside a cluster.

        Args:
            telemetry: counts writes.
            timeout: seconds allowed to one request.
            user_agent: how we call ourselves in audit logs.
            kubeconfig: its path, or None for the usual one of the user.
            tenure: seconds for which we may go on writing; default: for ever.

        Raises:
            Permanent: neither is there.
        """
        configuration = client.Configuration()
        try:
            config.load_incluster_config(client_configuration=configuration)
        except ConfigException:
            try:
                await config.load_kube_config(config_file=kubeconfig, client_configuration=configuration)
            except _UNUSABLE as error:
                raise _no_credentials(error) from None
        try:
            api = client.ApiClient(configuration)
        except _UNUSABLE as error:
            raise _no_credentials(error) from None
        api.user_agent = user_agent
        return cls(api, telemetry, timeout, tenure)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def serves(self, *kinds: Kind) -> bool:
        """Whether the API server serves these kinds, all of one group, and says so in its list of groups."""
        groups = await self._request("GET", "/apis")
        version = await self._request("GET", f"/apis/{kinds[0].api_version}", missing_ok=True) or {}
        listed = any(group.get("name") == kinds[0].group for group in groups.get("groups", []))
        watched = {
            resource["name"] for resource in version.get("resources", []) if "watch" in resource.get("verbs", [])
        }
        return listed and watched.issuperset(kind.plural for kind in kinds)

    async def get(self, kind: Kind, namespace: str, name: str, *, seconds: float = math.inf) -> Manifest | None:
        """One object, or None where there is none; within `seconds` where that is less than others are allowed."""
        path = _path(kind, namespace, name)
        found: Manifest | None = await self._request("GET", path, missing_ok=True, seconds=seconds)
        return found

    async def exists(self, kind: Kind, namespace: str, name: str) -> bool:
        """Whether there is such an object; what it holds may be large and is not asked for."""
        path = _path(kind, namespace, name)
        return await self._request("GET", path, missing_ok=True, headers={"Accept": METADATA}) is not None

    async def list(self, kind: Kind, namespace: str | None = None, *, selector: str | None = None) -> list[Manifest]:
        """All objects of a kind, of one namespace or of all, page by page."""
        items: list[Manifest] = []
        query: dict[str, str] = {"limit": str(PAGE)} | ({"labelSelector": selector} if selector else {})
        while True:
            page = await self._request("GET", _path(kind, namespace), query=query)
            try:
                items += [{"apiVersion": kind.api_version, "kind": kind.name} | item for item in page["items"]]
                token = page["metadata"].get("continue")
            except (KeyError, TypeError, AttributeError):
                raise ClusterError(f"GET {_path(kind, namespace)}: the answer is not a list of objects") from None
            if not token:
                return items
            query = query | {"continue": token}

    async def apply(self, kind: Kind, manifest: Manifest, *, manager: str = names.FIELD_MANAGER) -> Manifest:
        """Server-side apply, forced: of the fields in `manifest` we are the owner.

        Raises:
            Refused: the API server does not take the manifest as it is.
        """
        path = _path(kind, manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        return await self._apply(path, kind, manifest, manager)

    async def apply_status(self, kind: Kind, manifest: Manifest, status: Manifest) -> Manifest | None:
        """Server-side apply of the status alone; None where the object has gone.

        Raises:
            Conflict: another object has taken its name.
        """
        identity = {key: manifest["metadata"][key] for key in ("name", "namespace", "uid")}
        body = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": identity, "status": status}
        path = _path(kind, identity["namespace"], identity["name"]) + "/status"
        return await self._apply(path, kind, body, names.FIELD_MANAGER, missing_ok=True)

    async def delete(self, kind: Kind, manifest: Manifest) -> None:
        """Delete this very object: one that was made anew under its name is left alone."""
        meta = manifest["metadata"]
        body = {"propagationPolicy": "Background", "preconditions": {"uid": meta["uid"]}}
        self._writes.labels("delete", kind.name).inc()
        await self._request("DELETE", _path(kind, meta["namespace"], meta["name"]), body=body, missing_ok=True)

    async def annotate(self, kind: Kind, manifest: Manifest, annotations: Mapping[str, str]) -> None:
        """Set annotations of an object; nothing happens where it has gone."""
        meta = manifest["metadata"]
        body = {"metadata": {"annotations": dict(annotations)}}
        self._writes.labels("annotate", kind.name).inc()
        path = _path(kind, meta["namespace"], meta["name"])
        await self._request("PATCH", path, body=body, headers={"Content-Type": MERGE}, missing_ok=True)

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Create an object."""
        self._writes.labels("create", kind.name).inc()
        created: Manifest = await self._request("POST", _path(kind, manifest["metadata"]["namespace"]), body=manifest)
        return created

    async def offer(self, kind: Kind, manifest: Manifest) -> Manifest | None:
        """Create an object unless its name is taken; then None. Takes no right to read what is there."""
        path = _path(kind, manifest["metadata"]["namespace"])
        try:
            created: Manifest = await self._request("POST", path, body=manifest)
        except Conflict:
            return None
        self._writes.labels("create", kind.name).inc()
        return created

    async def taken(self, kind: Kind, namespace: str, name: str) -> bool | None:
        """Whether there is an object of this name, without a right to read it: by a creation that is not carried out.

        Returns:
            None where a quota, an admission webhook or missing rights keep it from being known.
        """
        body = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name, "namespace": namespace}}
        try:
            await self._request("POST", _path(kind, namespace), query={"dryRun": "All"}, body=body)
        except Conflict:
            return True
        except Refused:
            return None
        return False

    async def claim(self, lease: Manifest, *, seconds: float) -> Manifest:
        """Create a Lease, or replace the version of it that `lease` was made from, within `seconds`.

        It is what leadership comes from, so it does not take any; and it is not counted among the writes, of which
        a fleet at rest shows none.

        Raises:
            Conflict: somebody else was faster.
            ClusterError: it may have been written nevertheless.
        """
        meta = lease["metadata"]
        method, name = ("PUT", meta["name"]) if "resourceVersion" in meta else ("POST", None)
        path = _path(names.LEASE, meta["namespace"], name)
        written: Manifest = await self._request(method, path, body=lease, seconds=seconds)
        return written

    async def _apply(
        self, path: str, kind: Kind, body: Manifest, manager: str, *, missing_ok: bool = False
    ) -> Manifest | Any:
        self._writes.labels("apply", kind.name).inc()
        query = {"fieldManager": manager, "force": "true"}
        headers = {"Content-Type": APPLY}
        return await self._request("PATCH", path, query=query, body=body, headers=headers, missing_ok=missing_ok)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        headers: dict[str, str] | None = None,
        missing_ok: bool = False,
        seconds: float | None = None,
    ) -> Any:
        if seconds is None:
            # A write that is under way when our time is over is given up, lest it arrive after the next leader's.
            seconds = math.inf if method == "GET" else self._tenure()
            if seconds <= 0:
                raise ClusterError(f"{method} {path}: not sent, because another operator may lead by now")
        seconds = min(seconds, self._timeout)
        try:
            async with asyncio.timeout(seconds):
                serialized = await self._api.param_serialize(
                    method,
                    path,
                    query_params=list((query or {}).items()),
                    header_params=JSON | (headers or {}),
                    body=body,
                    auth_settings=["BearerToken"],
                )
                answer = await self._api.call_api(*serialized, _request_timeout=seconds)
                text = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            words = str(error) or f"no answer within {seconds:.3g} s"
            raise ClusterError(f"{method} {path}: {words}") from None
        except client.ApiException as error:
            raise ClusterError(f"{method} {path}: {error.reason}", status=error.status) from None
        if answer.status == NOT_FOUND and missing_ok:
            return None
        if answer.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
            raise _error(f"{method} {path}", answer.status, answer.headers, text)
        return _object(f"{method} {path}", answer.status, text)


def _no_credentials(error: Exception) -> Permanent:
    words = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, (ConfigException, OSError)):
        words = f"it can't be read ({words})"
    return Permanent(
        "NoCredentials", f"no ServiceAccount in this pod and no usable kubeconfig (--kubeconfig, KUBECONFIG): {words}"
    )


def _path(kind: Kind, namespace: str | None, name: str | None = None) -> str:
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
    scope = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{root}{scope}/{kind.plural}" + (f"/{quote(name, safe='')}" if name else "")


def _object(what: str, status: int, text: bytes) -> Manifest:
    """The object in an answer; a proxy in between may answer with anything."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ClusterError(f"{what}: the answer is not an object of Kubernetes", status=status)
    return found


def _error(what: str, status: int, headers: Mapping[str, str], text: bytes) -> ClusterError:
    try:
        words = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        words = text[:200].decode(errors="replace")
    message = f"{what}: {status} {words}"
    if status == CONFLICT:
        return Conflict(message, status=status)
    # An unknown field in an apply is answered with 500, though no repetition will mend it.
    if status in REFUSED or "field not declared in schema" in words:
        return Refused(message, status=status)
    seconds = headers.get("Retry-After", "")
    return ClusterError(
        message, status=status, retry_after=float(seconds) if re.fullmatch(r"\d{1,4}", seconds) else None
    )
