"""The only room that speaks to kube-apiserver: get, list, apply, delete, patch, events, a Lease.

Objects are plain dicts. Paths are made from `names.Kind`, so no discovery is needed: no right to read it, no cache on
disk. Every request has a deadline, no write outlasts our leadership, and no exception of the client library leaves
this file.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal, Self

import aiohttp
from kubernetes.aio import client

from typosentinel_operator import credentials, names, rest
from typosentinel_operator.errors import ClusterError, Conflict, Refused
from typosentinel_operator.mirror import Mirror
from typosentinel_operator.names import Kind
from typosentinel_operator.rest import Listing, path
from typosentinel_operator.scope import Scope
from typosentinel_operator.telemetry import Telemetry

Manifest = dict[str, Any]
# What becomes of what a deleted object owns.
Propagation = Literal["Background", "Orphan"]

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
JSON = {"Accept": "application/json", "Content-Type": "application/json"}
# Objects that are parsed at a time: ten megabytes of them at most.
PAGE = 250
# Of a generated name, which gets six characters more and may be that of a Service.
_TRIAL_PREFIX = 57
# No object has it, so that an apply with it can only create one.
_NO_VERSION = "1"


class Cluster:
    """A client of one API server.

    Args:
        api: the library's client, already configured.
        telemetry: counts writes.
        timeout: seconds allowed to one request.
        tenure: seconds for which we may go on writing; none are left to who does not lead.
        mirror: is told what the answers to our own writes show, so that their echo in watches is no news.
    """

    def __init__(
        self,
        api: client.ApiClient,
        telemetry: Telemetry,
        timeout: float,
        tenure: Callable[[], float],
        mirror: Mirror,
    ) -> None:
        self.mirror = mirror
        self._api = api
        self._writes = telemetry.writes
        self._timeout = timeout
        self._tenure = tenure
        self._unsettled = -math.inf

    @classmethod
    async def connect(
        cls,
        telemetry: Telemetry,
        timeout: float,  # noqa: ASYNC109 - of requests to come
        user_agent: str,
        kubeconfig: str | None,
        tenure: Callable[[], float] = lambda: math.inf,
        scope: Scope | None = None,
    ) -> Self:
        """Connect as the pod's ServiceAccount, or by a kubeconfig outside a cluster.

        Args:
            telemetry: counts writes.
            timeout: seconds allowed to one request.
            user_agent: how we call ourselves in audit logs.
            kubeconfig: its path, or None for the usual one of the user.
            tenure: seconds for which we may go on writing; default: for ever.
            scope: which objects we look after; default: all.

        Raises:
            Permanent: neither is there.
        """
        api = await credentials.client_of(kubeconfig, user_agent)
        return cls(api, telemetry, timeout, tenure, Mirror(scope or Scope()))

    def unsettled(self, seconds: float) -> bool:
        """Whether a write went out that was never answered, and may still be carried out so many seconds later."""
        return asyncio.get_running_loop().time() - self._unsettled < seconds

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

    async def get(self, kind: Kind, namespace: str | None, name: str, *, seconds: float = math.inf) -> Manifest | None:
        """One object, or None where there is none; within `seconds` where that is less than others are allowed.

        An object of a kind that belongs to the whole cluster has no namespace.
        """
        where = path(kind, namespace, name)
        found: Manifest | None = await self._request("GET", where, missing_ok=True, seconds=seconds)
        return found

    async def exists(self, kind: Kind, namespace: str, name: str) -> bool:
        """Whether there is such an object; what it holds may be large and is not asked for."""
        where = path(kind, namespace, name)
        return await self._request("GET", where, missing_ok=True, headers={"Accept": METADATA}) is not None

    async def pages(self, kind: Kind, namespace: str | None = None, *, selector: str = "") -> AsyncIterator[Listing]:
        """All objects of a kind, of one namespace or of all, page by page; all pages are of one version.

        Raises:
            ClusterError: try again from the start; with 410 where the version has been compacted away meanwhile.
        """
        where = path(kind, namespace)
        first: dict[str, str] = {"limit": str(PAGE)} | ({"labelSelector": selector} if selector else {})
        query = first
        while True:
            page = await self._request("GET", where, query=query)
            try:
                items = [{"apiVersion": kind.api_version, "kind": kind.name} | item for item in page["items"]]
                token, version = page["metadata"].get("continue"), page["metadata"].get("resourceVersion", "")
            except (KeyError, TypeError, AttributeError):
                raise ClusterError(f"GET {where}: the answer is not a list of objects") from None
            yield Listing(items, version)
            if not token:
                return
            query = first | {"continue": token}

    async def list(self, kind: Kind, namespace: str, *, selector: str = "") -> list[Manifest]:
        """All objects of a kind in one namespace."""
        return [item async for page in self.pages(kind, namespace, selector=selector) for item in page.items]

    async def apply(
        self,
        kind: Kind,
        manifest: Manifest,
        present: Manifest | None,
        *,
        manager: str = names.FIELD_MANAGER,
        unchanged: bool = False,
    ) -> Manifest:
        """Server-side apply, forced: of the fields in `manifest` we are the owner.

        Args:
            kind: of the object.
            manifest: what we want of it.
            present: the object that is to be changed, and no other under its name; None: there is none yet.
            manager: as whom.
            unchanged: only if nobody has written `present` since, for what is written is taken from it.

        Raises:
            Refused: the API server does not take the manifest as it is.
            Conflict: what stands under the name is not what `present` says.
        """
        meta = manifest["metadata"]
        only = {"resourceVersion": _NO_VERSION} if present is None else {"uid": present["metadata"]["uid"]}
        if present is not None and unchanged:
            only["resourceVersion"] = present["metadata"]["resourceVersion"]
        where = path(kind, meta.get("namespace"), meta["name"])
        written: Manifest = await self._apply(where, kind, manifest | {"metadata": meta | only}, manager)
        return written

    async def apply_status(self, kind: Kind, manifest: Manifest, status: Manifest) -> Manifest | None:
        """Server-side apply of the status alone; None where the object has gone.

        Raises:
            Conflict: another object has taken its name.
        """
        identity = {key: manifest["metadata"][key] for key in ("name", "namespace", "uid")}
        body = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": identity, "status": status}
        where = path(kind, identity["namespace"], identity["name"]) + "/status"
        return await self._apply(where, kind, body, names.FIELD_MANAGER, missing_ok=True)

    async def delete(self, kind: Kind, manifest: Manifest, propagation: Propagation = "Background") -> None:
        """Delete this very object: one that was made anew under its name is left alone."""
        meta = manifest["metadata"]
        body = {"propagationPolicy": propagation, "preconditions": {"uid": meta["uid"]}}
        self._writes.labels("delete", kind.name).inc()
        left = await self._request("DELETE", path(kind, meta["namespace"], meta["name"]), body=body, missing_ok=True)
        # An object in the answer has finalizers; where it is gone the answer tells no version, and the watch will.
        if left is not None and left.get("kind") == kind.name:
            self._note(kind, left)
        else:
            self.mirror.miss(kind, manifest, for_good=True)

    async def annotate(self, kind: Kind, manifest: Manifest, annotations: Mapping[str, str]) -> None:
        """Set annotations of an object; nothing happens where it has gone."""
        meta = manifest["metadata"]
        body = {"metadata": {"annotations": dict(annotations)}}
        self._writes.labels("annotate", kind.name).inc()
        where = path(kind, meta["namespace"], meta["name"])
        written = await self._request("PATCH", where, body=body, headers={"Content-Type": MERGE}, missing_ok=True)
        if written is not None:
            self._note(kind, written)

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Create an object."""
        self._writes.labels("create", kind.name).inc()
        created: Manifest = await self._request("POST", path(kind, manifest["metadata"]["namespace"]), body=manifest)
        return created

    async def offer(self, kind: Kind, manifest: Manifest) -> Manifest | None:
        """Create an object unless its name is taken; then None. Takes no right to read what is there."""
        where = path(kind, manifest["metadata"]["namespace"])
        try:
            created: Manifest = await self._request("POST", where, body=manifest)
        except Conflict:
            return None
        self._writes.labels("create", kind.name).inc()
        return created

    async def try_out(self, kind: Kind, manifest: Manifest) -> Manifest:
        """What would come of creating an object like this under a name of its own; nothing is written.

        Raises:
            Refused: it would be refused, or it can't be tried out.
        """
        meta = {key: value for key, value in manifest["metadata"].items() if key != "name"}
        meta["generateName"] = f"{manifest['metadata']['name'][:_TRIAL_PREFIX]}-"
        where, trial = path(kind, meta["namespace"]), manifest | {"metadata": meta}
        made: Manifest = await self._request("POST", where, query={"dryRun": "All"}, body=trial)
        return made

    async def taken(self, kind: Kind, namespace: str, name: str) -> bool | None:
        """Whether there is an object of this name, without a right to read it: by a creation that is not carried out.

        Returns:
            None where a quota, an admission webhook or missing rights keep it from being known.
        """
        body = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name, "namespace": namespace}}
        try:
            await self._request("POST", path(kind, namespace), query={"dryRun": "All"}, body=body)
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
        where = path(names.LEASE, meta["namespace"], name)
        written: Manifest = await self._request(method, where, body=lease, seconds=seconds)
        return written

    async def whoami(self, *, seconds: float) -> Manifest:
        """Who we are to the API server, by its own word (`userInfo`), within `seconds`; empty where it does not tell.

        Everybody may ask that, in clusters that have not taken it away.
        """
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        where = f"/apis/{body['apiVersion']}/selfsubjectreviews"
        try:
            found = await self._request("POST", where, body=body, missing_ok=True, seconds=seconds) or {}
        except Refused:
            return {}
        user: Manifest = found.get("status", {}).get("userInfo", {})
        return user

    def _note(self, kind: Kind, answer: Manifest) -> None:
        try:
            self.mirror.answered(kind, answer)
        except (KeyError, TypeError, AttributeError):
            raise ClusterError(f"the answer to a write of a {kind.name} is no {kind.name}") from None

    async def _apply(
        self, where: str, kind: Kind, body: Manifest, manager: str, *, missing_ok: bool = False
    ) -> Manifest | Any:
        self._writes.labels("apply", kind.name).inc()
        query = {"fieldManager": manager, "force": "true"}
        headers = {"Content-Type": APPLY}
        written = await self._request("PATCH", where, query=query, body=body, headers=headers, missing_ok=missing_ok)
        if written is not None:
            self._note(kind, written)
        return written

    async def _request(
        self,
        method: str,
        where: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        headers: dict[str, str] | None = None,
        missing_ok: bool = False,
        seconds: float | None = None,
    ) -> Any:
        # Reads do no harm when they are carried out late, nor do Events; leadership has fences of its own.
        settled = method == "GET" or seconds is not None or "dryRun" in (query or {}) or where.endswith("/events")
        if seconds is None:
            # A write that is under way when our time is over is given up, lest it arrive after the next leader's.
            seconds = math.inf if method == "GET" else self._tenure()
            if seconds <= 0:
                raise ClusterError(f"{method} {where}: not sent, because another operator may lead by now")
        seconds = min(seconds, self._timeout)
        try:
            async with asyncio.timeout(seconds):
                serialized = await self._api.param_serialize(
                    method,
                    where,
                    query_params=list((query or {}).items()),
                    header_params=JSON | (headers or {}),
                    body=body,
                    auth_settings=["BearerToken"],
                )
                answer = await self._api.call_api(*serialized, _request_timeout=seconds)
                text = await answer.read()
            settled = True
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Without a connection nothing was sent.
            settled = settled or isinstance(error, aiohttp.ClientConnectorError)
            words = str(error) or f"no answer within {seconds:.3g} s"
            raise ClusterError(f"{method} {where}: {words}") from None
        except client.ApiException as error:
            settled = True
            raise ClusterError(f"{method} {where}: {error.reason}", status=error.status) from None
        finally:
            if not settled:
                self._unsettled = asyncio.get_running_loop().time()
        if answer.status == rest.NOT_FOUND and missing_ok:
            return None
        if answer.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
            raise rest.failure(f"{method} {where}", answer.status, answer.headers, text)
        return rest.parsed(f"{method} {where}", answer.status, text)
