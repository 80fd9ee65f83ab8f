"""The parts of an operator process, around a cluster that only lists, for tests of what holds them together."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from prometheus_client import CollectorRegistry

import factories
from typosentinel_operator import names
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.control import Control
from typosentinel_operator.errors import Refused
from typosentinel_operator.events import Outbox
from typosentinel_operator.leader import Elector
from typosentinel_operator.lease import Tenure, Timing
from typosentinel_operator.mirror import Mirror
from typosentinel_operator.reconcile import Reconciler
from typosentinel_operator.rest import Listing
from typosentinel_operator.scope import Scope
from typosentinel_operator.telemetry import make_telemetry
from typosentinel_operator.tokens import Tokens

if TYPE_CHECKING:
    from typosentinel_operator.errors import ClusterError
    from typosentinel_operator.scrape import Scraper

RESYNC: Final = 30.0
LEASE_SECONDS: Final = 15
EVERYTHING: Final = Scope()


class Clock:
    """Monotonic seconds that stand still until they are moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Objects(Cluster):
    """A cluster of which only lists are asked.

    Attributes:
        items: what is there, by kind.
        version: of the cluster, as lists tell it.
        error: what every list raises, or None.
        refused: namespaces in which nothing may be read.
    """

    def __init__(self, scope: Scope = EVERYTHING) -> None:
        self.mirror = Mirror(scope)
        self.items: dict[str, list[dict[str, Any]]] = {}
        self.version = "100"
        self.error: ClusterError | None = None
        self.refused: set[str | None] = set()
        self.asked: list[str | None] = []

    async def pages(
        self,
        kind: names.Kind,
        namespace: str | None = None,
        *,
        selector: str = "",  # noqa: ARG002 - resyncs select nothing
    ) -> AsyncIterator[Listing]:
        """All objects of a kind, each on a page of its own."""
        self.asked.append(namespace)
        if self.error:
            raise self.error
        if namespace in self.refused:
            raise Refused(f"nobody may list {kind.plural} in {namespace}", status=403)
        for item in self.items.get(kind.name, []):
            yield Listing([item], self.version)
        yield Listing([], self.version)


class Process:
    """The parts of one operator process.

    Attributes:
        clock: its clock.
        cluster: what it sees.
        control: what is under test.
        elector: of which only those hear that ask a standby.
        address: of its probes.
    """

    def __init__(self, scope: Scope = EVERYTHING) -> None:
        self.clock = Clock()
        self.cluster = Objects(scope)
        self.registry = CollectorRegistry()
        self.telemetry = make_telemetry(self.registry)
        self.control = Control(
            cluster=self.cluster,
            reconciler=Reconciler(
                self.cluster,
                cast("Scraper", None),
                factories.IMAGE,
                self.today,
                Tokens(lambda: "t" * 43),
                Outbox(self.cluster, self.telemetry.events_dropped),
            ),
            telemetry=self.telemetry,
            resync_seconds=RESYNC,
            clock=self.clock,
            now=self.today,
            chance=lambda: 0.5,
        )
        self.elector = Elector(
            cluster=self.cluster,
            telemetry=self.telemetry,
            tenure=Tenure(self.clock),
            place=("team-a", "operator"),
            identity="me",
            timing=Timing(LEASE_SECONDS, 10.0, 2.0),
            clock=self.clock,
            now=self.today,
        )
        self.address = ""

    @staticmethod
    def today() -> datetime:
        """The time, with zone."""
        return factories.NOW
