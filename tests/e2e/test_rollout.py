"""Pods come and go under load, and no request fails: a sample of what `make faults-rollout` does at length."""

from collections.abc import Callable

import pytest
from hack.load import rollout
from hack.load.outcome import near
from hack.quickstart import kubectl as quickstart_kubectl

from kube import Kubectl

SAMPLE = rollout.Campaign(restarts=2, scale_ins=1, rate=100.0)
LEAST_REQUESTS = 5_000


@pytest.mark.timeout(300)
def test_no_request_fails_while_pods_are_replaced(
    release: Kubectl, server_image: str, record_property: Callable[[str, object], None]
) -> None:
    """Two rolling updates and a scale-in, over new and kept-alive connections, from a pod through the Service."""
    kubectl = quickstart_kubectl.Kubectl(release.path[0])
    with rollout.namespace(kubectl) as name:
        fleet = rollout.Fleet(kubectl, name)
        outcome, spans = rollout.run(fleet, server_image, SAMPLE)
    for key, value in rollout.figures(outcome, spans).items():
        record_property(key, value)

    assert near(outcome.failures, fleet.events) == []
    assert outcome.requests >= LEAST_REQUESTS
    assert len(spans) == 3
