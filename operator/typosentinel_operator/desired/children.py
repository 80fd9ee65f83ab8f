"""All children of one ScanService, in the order in which they are applied."""

from typosentinel_operator.desired import autoscaler, serverconfig, workload
from typosentinel_operator.desired.inputs import Inputs, Manifest


def build(inputs: Inputs) -> tuple[Manifest, ...]:
    """Everything that should exist for this ScanService, and nothing else of ours should.

    Returns:
        Manifests ready for server-side apply, what a pod needs before the pods.
    """
    manifests = [
        workload.service_account(inputs),
        serverconfig.config_map(inputs),
        workload.service(inputs),
        workload.deployment(inputs),
        workload.disruption_budget(inputs),
    ]
    if inputs.scaling is not None:
        manifests.append(autoscaler.autoscaler(inputs, inputs.scaling))
    return tuple(manifests)
