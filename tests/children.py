"""The children of one ScanService, as tests on a real API server look at them."""

from dataclasses import dataclass

from kube import Kubectl, Manifest
from typosentinel_operator import names

KINDS = ("ServiceAccount", "ConfigMap", "Service", "Deployment", "PodDisruptionBudget")
AUTOSCALER = "HorizontalPodAutoscaler"
SETTLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Children:
    """The children of the ScanService `name`.

    Attributes:
        kubectl: whose eyes.
        namespace: where.
        name: the ScanService's name.
    """

    kubectl: Kubectl
    namespace: str
    name: str

    @property
    def child(self) -> str:
        """Name of every child."""
        return f"{self.name}-scanner"

    def by_kind(self) -> dict[str, Manifest]:
        """What is there now."""
        kinds = ",".join((*KINDS, AUTOSCALER))
        selector = f"{names.LABEL_SCAN_SERVICE}={self.name}"
        return {found["kind"]: found for found in self.kubectl.list_json(kinds, self.namespace, selector)}

    def one(self, kind: str) -> Manifest:
        """One child, which must be there."""
        return self.kubectl.require(kind, self.child, self.namespace)

    def await_all(self, *, scaled: bool = False, seconds: float = SETTLE_SECONDS) -> dict[str, Manifest]:
        """Wait until every child is there, and nothing else is."""
        wanted = {*KINDS, *([AUTOSCALER] if scaled else [])}

        def complete() -> dict[str, Manifest]:
            found = self.by_kind()
            return found if set(found) == wanted else {}

        return self.kubectl.wait_until(complete, seconds, f"{self.namespace}/{self.child} has {sorted(wanted)}")

    def await_observed(self, seconds: float = SETTLE_SECONDS) -> Manifest:
        """Wait until the operator has reported on the present generation of the ScanService."""

        def reported() -> Manifest | None:
            found = self.kubectl.require("scanservice", self.name, self.namespace)
            return found if found["status"]["observedGeneration"] == found["metadata"]["generation"] else None

        found = self.kubectl.wait_until(reported, seconds, f"{self.namespace}/{self.name} has been observed")
        assert found is not None
        return found

    def versions(self) -> dict[str, str]:
        """ResourceVersion of every child, and of the ScanService itself."""
        versions = {kind: found["metadata"]["resourceVersion"] for kind, found in self.by_kind().items()}
        own = self.kubectl.require("scanservice", self.name, self.namespace)
        return versions | {"ScanService": own["metadata"]["resourceVersion"]}

    def configuration(self) -> str:
        """The configuration document in the ConfigMap."""
        text: str = self.one("ConfigMap")["data"][names.CONFIG_KEY]
        return text

    def events(self) -> list[tuple[str, str]]:
        """(type, reason) of the Events about the ScanService, without those of other controllers."""
        ours = f"{names.GROUP}/operator"
        return [
            (event["type"], event["reason"])
            for event in self.kubectl.list_json("events.events.k8s.io", self.namespace)
            if event["regarding"].get("name") == self.name and event.get("reportingController") == ours
        ]
