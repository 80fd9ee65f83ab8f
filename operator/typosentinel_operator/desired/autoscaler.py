"""The HorizontalPodAutoscaler that a ScalingPolicy asks for, and what it remembers of it."""

import json

from pydantic import ValidationError

from typosentinel_operator import names
from typosentinel_operator.desired.inputs import Inputs, Manifest, child
from typosentinel_operator.scalingspec import ScalingMetric, ScalingPolicySpec


def autoscaler(inputs: Inputs, policy: ScalingPolicySpec) -> Manifest:
    """An autoscaling/v2 autoscaler of the scanner Deployment.

    An annotation keeps what the policy says: a pause or an override changes the bounds, and must end also when the
    policy has gone.
    """
    spec: Manifest = {
        "scaleTargetRef": {
            "apiVersion": names.DEPLOYMENT.api_version,
            "kind": names.DEPLOYMENT.name,
            "name": names.child_name(inputs.name),
        },
        "minReplicas": policy.min_replicas,
        "maxReplicas": policy.max_replicas,
        "metrics": [_metric(metric) for metric in sorted(policy.metrics, key=lambda metric: metric.name)],
    }
    if policy.behavior is not None:
        spec["behavior"] = policy.behavior.model_dump(by_alias=True, exclude_none=True)
    annotations = {} if inputs.policy is None else {names.ANNOTATION_SCALING_POLICY: _written(inputs.policy)}
    return child(names.AUTOSCALER, inputs, {"spec": spec}, annotations)


def policy_of(manifest: Manifest | None) -> ScalingPolicySpec | None:
    """The policy that an autoscaler was made of; None where there is none, or it does not say so."""
    if manifest is None:
        return None
    text = manifest["metadata"].get("annotations", {}).get(names.ANNOTATION_SCALING_POLICY)
    try:
        return None if text is None else ScalingPolicySpec.model_validate_json(text)
    except ValidationError:
        return None


def _written(policy: ScalingPolicySpec) -> str:
    document = policy.model_dump(by_alias=True, exclude_none=True)
    # A map by name: its order is no news.
    document["metrics"].sort(key=lambda metric: metric["name"])
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _metric(metric: ScalingMetric) -> Manifest:
    return {
        "type": metric.type,
        "resource": {
            "name": metric.resource.name,
            "target": {"type": "Utilization", "averageUtilization": metric.resource.average_utilization},
        },
    }
