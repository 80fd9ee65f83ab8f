"""What a ScalingPolicy's spec holds."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from typosentinel_operator.fields import Model, ObjectName, map_list, rules


class ResourceMetric(Model):
    """A resource of the scanner pods, as in a HorizontalPodAutoscaler."""

    name: Literal["cpu", "memory"]
    """Which resource."""
    average_utilization: Annotated[int, Field(ge=1, le=1000, json_schema_extra={"format": "int32"})]
    """Wanted use over all pods, in percent of what they request."""


class ScalingMetric(Model):
    """One number by which the fleet is scaled; of several the one that asks for most pods wins."""

    name: ObjectName
    """Name of this metric, unique in the policy."""
    type: Literal["Resource"]
    """Where the number comes from. Resource: the pods' use of CPU or memory."""
    resource: ResourceMetric
    """Which resource, and how much of it."""


class ScalingRule(Model):
    """One bound on the speed of scaling."""

    type: Literal["Pods", "Percent"]
    """Whether value is a number of pods or a percentage of the present ones."""
    value: Annotated[int, Field(ge=1, json_schema_extra={"format": "int32"})]
    """Largest change within one period."""
    period_seconds: Annotated[int, Field(ge=1, le=1800, json_schema_extra={"format": "int32"})]
    """Length of the period, in seconds."""


class ScalingRules(Model):
    """How fast to scale in one direction; passed through to the HorizontalPodAutoscaler."""

    stabilization_window_seconds: Annotated[int, Field(ge=0, le=3600, json_schema_extra={"format": "int32"})] | None = (
        None
    )
    """Seconds of past recommendations that are weighed before acting."""
    select_policy: Literal["Max", "Min", "Disabled"] | None = None
    """Which of several rules counts; Disabled: no scaling in this direction."""
    policies: (
        Annotated[
            list[ScalingRule],
            Field(min_length=1, max_length=10, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
        ]
        | None
    ) = None
    """Bounds on the speed of scaling."""


class ScalingBehavior(Model):
    """Speed and steadiness of scaling, as autoscaling/v2 has it."""

    scale_up: ScalingRules | None = None
    """Rules for adding pods."""
    scale_down: ScalingRules | None = None
    """Rules for removing pods."""


class ScalingPolicySpec(Model):
    """How many pods, and by what. One policy serves any number of ScanServices."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                # The default of an empty spec is checked before its own fields have their defaults.
                "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
                "minReplicas must not be greater than maxReplicas",
            )
        )
    )

    min_replicas: Annotated[int, Field(ge=1, le=1000, json_schema_extra={"format": "int32"})] = 1
    """Pods that run at least."""
    max_replicas: Annotated[int, Field(ge=1, le=1000, json_schema_extra={"format": "int32"})] = 10
    """Pods that run at most."""
    metrics: Annotated[list[ScalingMetric], Field(min_length=1, max_length=16, json_schema_extra=map_list("name"))] = [
        ScalingMetric(name="cpu", type="Resource", resource=ResourceMetric(name="cpu", average_utilization=70))
    ]
    """By what to scale. Default: 70 % of the CPU that the pods request."""
    behavior: ScalingBehavior | None = None
    """Speed and steadiness of scaling. Default: Kubernetes' own."""
