"""What was seen of one ScanService, as values: made by `gather` and `scrape`, judged by `status`. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from typosentinel_operator.cachespec import CachePolicySpec
from typosentinel_operator.conditions import Verdict
from typosentinel_operator.fields import SecretKeyReference
from typosentinel_operator.interventions import Interventions
from typosentinel_operator.scalingspec import ScalingPolicySpec

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Something that is referred to and can't be used.

    Attributes:
        reason: a constant of `names.Reason`.
        message: a sentence that says what to do.
    """

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of one ScanService: a spec, None where none is referred to, or why it can't be used."""

    cache: CachePolicySpec | Unresolved | None
    scaling: ScalingPolicySpec | Unresolved | None

    def unresolved(self) -> tuple[Unresolved, ...]:
        """Those that can't be used."""
        return tuple(policy for policy in (self.cache, self.scaling) if isinstance(policy, Unresolved))


@dataclass(frozen=True, slots=True)
class ConfigMapView:
    """A ConfigMap that a ScanService refers to.

    Attributes:
        field: where in the spec.
        name: the one that is referred to.
        trouble: why it can't be used, or None.
        digest: hash of the document in it, as servers give it; None where there is none, or more than one.
    """

    field: str
    name: str
    trouble: Unresolved | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class SecretView:
    """A Secret that a ScanService or its CachePolicy refers to; nobody looks into it.

    Attributes:
        field: where in the spec.
        reference: the key that is referred to.
        trouble: why it can't be used, or None.
    """

    field: str
    reference: SecretKeyReference
    trouble: Unresolved | None = None


@dataclass(frozen=True, slots=True)
class ListReport:
    """What a server says of one list that its configuration names.

    Attributes:
        digest: hash of the file that it has seen last, taken or refused; None where it can't be read.
        error: why it refused that file, or None.
    """

    digest: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a server says of itself.

    Attributes:
        configuration_hash: hash of the document that it runs with.
        configuration_age: seconds since that document took effect, by the server's own clock.
        lists: by the server's names; none from a server that does not speak of them.
    """

    configuration_hash: str
    configuration_age: float
    lists: Mapping[str, ListReport] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A server that could not be asked, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class PodView:
    """What matters of a pod.

    Attributes:
        manifest: the pod.
        ready_since: RFC 3339 time of its becoming ready, or None while it is not.
        report: what its server says of itself, or why it could not be asked.
    """

    manifest: Manifest
    ready_since: str | None
    report: Report | NoAnswer


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that the verdicts are made of.

    Attributes:
        name, namespace: of the ScanService.
        deployment: the Deployment as last seen, or None.
        has_service: whether the Service is there and ours.
        autoscaler: the HPA as last seen, or None where none is wanted.
        min_replicas: floor of the autoscaler, or None where the number is fixed.
        pods: the scanner pods that are not on their way out.
        wanted_hash: hash of the configuration document that they should run with, or None if it is not known.
        references: number of policies referred to; None where that could not be seen.
        unresolved: policies that can't be used.
        config_maps: ConfigMaps referred to; None where they could not be looked at.
        secrets: the same of Secrets.
        failure: what stops us until somebody changes an object, as (reason, message), or None.
        interruption: what keeps us from writing for the moment, in the other side's words, or None.
        previous: the conditions that the object carries.
        now: time of observation, with zone.
        interventions: what people ask for by annotations.
        withheld: changes of children that are not made because of that.
    """

    name: str
    namespace: str
    deployment: Manifest | None
    has_service: bool
    autoscaler: Manifest | None
    min_replicas: int | None
    pods: tuple[PodView, ...]
    wanted_hash: str | None
    references: int | None
    unresolved: tuple[Unresolved, ...]
    config_maps: tuple[ConfigMapView, ...] | None
    secrets: tuple[SecretView, ...] | None
    failure: tuple[str, str] | None
    interruption: str | None
    previous: tuple[Manifest, ...]
    now: datetime
    interventions: Interventions = field(default_factory=Interventions)
    withheld: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[Unresolved, ...]:
        """What is the matter with ConfigMaps and Secrets that can't be used."""
        troubles = [*(one.trouble for one in self.config_maps or ()), *(one.trouble for one in self.secrets or ())]
        return tuple(trouble for trouble in troubles if trouble is not None)

    @property
    def looked(self) -> bool:
        """Whether it is known what ConfigMaps and Secrets are there."""
        return self.config_maps is not None and self.secrets is not None

    def before(self, condition: str) -> Verdict | None:
        """What the object says of this condition so far, or None."""
        for was in self.previous:
            if was["type"] == condition:
                return Verdict(condition, was["status"], was["reason"], was.get("message", ""))
        return None
