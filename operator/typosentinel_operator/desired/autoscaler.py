"""The HorizontalPodAutoscaler that a ScalingPolicy asks for."""

from typosentinel_operator import names
from typosentinel_operator.desired.inputs import Inputs, Manifest, child
from typosentinel_operator.scalingspec import ScalingMetric, ScalingPolicySpec


def autoscaler(inputs: Inputs, policy: ScalingPolicySpec) -> Manifest:
    """An autoscaling/v2 autoscaler of the scanner Deployment."""
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
    return child(names.AUTOSCALER, inputs, {"spec": spec})


def _metric(metric: ScalingMetric) -> Manifest:
    return {
        "type": metric.type,
        "resource": {
            "name": metric.resource.name,
            "target": {"type": "Utilization", "averageUtilization": metric.resource.average_utilization},
        },
    }
