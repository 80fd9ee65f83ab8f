"""An elector, and an API server with one Lease that does what the test wants."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

import factories
from typosentinel_operator import names
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.errors import ClusterError, Conflict
from typosentinel_operator.leader import Elector
from typosentinel_operator.lease import Tenure, Timing
from typosentinel_operator.telemetry import make_telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

PLACE = ("team-a", "operator")
TIMING = Timing(duration=1, deadline=0.4, retry=0.05)


class Leases(Cluster):
    """An API server with one Lease.

    Attributes:
        lease: what is stored, or None.
        asked: requests, in their order.
        before: called before each request; what it raises is the answer, and what it awaits takes its time.
        after: called after each write; what it raises is the answer though the write was done.
        left_open: whether some write of the work was never answered.
    """

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.asked: list[str] = []
        self.before: Callable[[str], Coroutine[Any, Any, None]] | None = None
        self.after: Callable[[str], None] | None = None
        self.left_open = False
        self._version = 0

    def unsettled(self, seconds: float) -> bool:
        """What the test says."""
        assert seconds == pytest.approx(TIMING.duration - TIMING.deadline) or seconds > TIMING.duration
        return self.left_open

    @property
    def holder(self) -> str | None:
        """Who holds it; None where there is none."""
        return self.lease["spec"]["holderIdentity"] if self.lease else None

    def put(self, holder: str, seconds: int = 1) -> None:
        """Somebody writes it."""
        self._version += 1
        meta = {"namespace": PLACE[0], "name": PLACE[1], "resourceVersion": str(self._version)}
        spec = {"holderIdentity": holder, "leaseDurationSeconds": seconds, "leaseTransitions": self._version}
        self.lease = {"metadata": meta, "spec": spec}

    async def get(
        self, kind: names.Kind, namespace: str | None, name: str, *, seconds: float = 0.0
    ) -> dict[str, Any] | None:
        """The Lease."""
        assert (kind, namespace, name) == (names.LEASE, *PLACE)
        await self._request("get", seconds)
        return self.lease

    async def whoami(self, *, seconds: float) -> dict[str, Any]:
        """The operator's account."""
        assert seconds > 0
        return {"username": f"system:serviceaccount:{PLACE[0]}:operator", "uid": "a1"}

    async def claim(self, lease: dict[str, Any], *, seconds: float) -> dict[str, Any]:
        """Take it if it is still what was read."""
        verb = "update" if "resourceVersion" in lease["metadata"] else "create"
        await self._request(verb, seconds)
        current = self.lease["metadata"]["resourceVersion"] if self.lease else None
        if verb == "update" and self.lease is None:
            raise ClusterError("gone", status=404)
        if current != lease["metadata"].get("resourceVersion"):
            raise Conflict("changed in between", status=409)
        self._version += 1
        self.lease = lease | {"metadata": lease["metadata"] | {"resourceVersion": str(self._version)}}
        if self.after:
            self.after(verb)
        return self.lease

    async def _request(self, verb: str, seconds: float) -> None:  # type: ignore[override]
        self.asked.append(verb)
        if self.before:
            try:
                async with asyncio.timeout(seconds):
                    await self.before(verb)
            except TimeoutError:
                raise ClusterError(f"no answer within {seconds:g} s") from None


class Candidate:
    """One elector, and the work that it guards.

    Attributes:
        elector: what is under test.
        began: set when the work has begun.
        finish: set by the test to end the work.
        holder_at_end: who held the Lease when the work had ended.
    """

    def __init__(self, cluster: Leases, identity: str = "me") -> None:
        self.registry = CollectorRegistry()
        self.cluster = cluster
        self.tenure = Tenure(time.monotonic)
        self.elector = Elector(
            cluster=cluster,
            telemetry=make_telemetry(self.registry),
            tenure=self.tenure,
            place=PLACE,
            identity=identity,
            timing=TIMING,
            clock=time.monotonic,
            now=lambda: factories.NOW,
        )
        self.began = asyncio.Event()
        self.finish = asyncio.Event()
        self.holder_at_end: str | None = None
        self.cancelled = False
        self.tenure_at_start = 0.0

    async def work(self) -> None:
        """Until told to finish."""
        self.tenure_at_start = self.tenure.left()
        self.began.set()
        try:
            await self.finish.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        finally:
            self.holder_at_end = self.cluster.holder

    def start(self) -> asyncio.Task[None]:
        """Lead in a task."""
        return asyncio.create_task(self.elector.lead(self.work))

    def value(self, metric: str) -> float | None:
        """A metric's value."""
        return self.registry.get_sample_value(metric)
