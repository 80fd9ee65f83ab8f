"""What can be observed of a ScanService, and what is to be said of each: sentence → observed → verdict."""

from datetime import timedelta
from typing import Any

import factories
from factories import deployment, observed, pod
from typosentinel_operator import specs
from typosentinel_operator.names import Reason
from typosentinel_operator.observed import ConfigMapView, ListReport, NoAnswer, Observed, PodView, Report, Unresolved

NO_LISTS = ConfigMapView(
    specs.CORPUS_REFERENCE, "names", Unresolved(Reason.CONFIG_MAP_NOT_FOUND, 'ConfigMap "names" does not exist')
)
NO_KEY = ConfigMapView(
    specs.ALLOW_LIST_REFERENCE, "vouched", Unresolved(Reason.CONFIG_MAP_KEY_NOT_FOUND, "no key allow-list.yaml")
)
VOUCHED = ConfigMapView(specs.ALLOW_LIST_REFERENCE, "vouched", digest="sha256:today")
MISSING = Unresolved(Reason.POLICY_NOT_FOUND, 'CachePolicy "small" does not exist')
INVALID = Unresolved(Reason.INVALID_POLICY, 'ScalingPolicy "steady": spec.minReplicas: no number')
JUST_NOW = (factories.NOW - timedelta(seconds=2)).isoformat()
LONG_ENOUGH = (factories.NOW - timedelta(seconds=5)).isoformat()
OLD = "sha256:" + "b" * 64


def of_list(digest: str | None, error: str | None = None) -> PodView:
    """A pod that has seen this version of its allow-list."""
    return pod(report=Report(factories.HASH, 600.0, {"allowList": ListReport(digest, error)}))


WRONG = "/etc/allow-list.yaml:3: entries.0: reason is missing\n/etc/allow-list.yaml:9: entries.7: name is missing"


def waiting(reason: str, message: str) -> dict[str, Any]:
    """A pod whose container waits."""
    container = {"name": "server", "state": {"waiting": {"reason": reason, "message": message}}}
    return {"metadata": {"uid": "p1"}, "status": {"phase": "Pending", "containerStatuses": [container]}}


def was(aspect: str, status: str, reason: str, seconds: float = 600.0) -> dict[str, Any]:
    """A condition that the object has carried for so long."""
    since = (factories.NOW - timedelta(seconds=seconds)).isoformat()
    return {"type": aspect, "status": status, "reason": reason, "lastTransitionTime": since}


def out_of_time(**counts: Any) -> dict[str, Any]:
    """A Deployment on which Kubernetes has given up."""
    given_up = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    return deployment(conditions=[given_up], **counts)


def refused_pods(message: str) -> dict[str, Any]:
    """A Deployment that may not make pods."""
    failed = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    return deployment(readyReplicas=0, conditions=[failed])


# sentence → observed → (status, reason, part of the message) of Ready
READY: dict[str, tuple[Observed, tuple[str, str, str]]] = {
    "one settled pod of one is ready": (observed(), ("True", Reason.READY, "1 pods answer")),
    "a pod that has been ready for exactly five seconds counts": (
        observed(pods=(pod(LONG_ENOUGH, age=5.0),)),
        ("True", Reason.READY, "1 pods"),
    ),
    "scaled to zero is what was asked for": (
        observed(deployment=deployment(0), pods=()),
        ("True", Reason.READY, "0 pods"),
    ),
    "of an autoscaled fleet its floor is enough": (
        observed(deployment=deployment(5), min_replicas=2, pods=(pod(), pod(), pod(None))),
        ("True", Reason.READY, "2 pods"),
    ),
    "a fleet that its autoscaler keeps below its floor needs what is desired": (
        observed(deployment=deployment(1), min_replicas=2),
        ("True", Reason.READY, "1 pods"),
    ),
    "a failure comes first": (
        observed(failure=(Reason.NAME_CONFLICT, "taken"), unresolved=(MISSING,), deployment=None),
        ("False", Reason.NAME_CONFLICT, "taken"),
    ),
    "a missing policy comes before pods": (
        observed(unresolved=(MISSING,), references=1, deployment=None),
        ("False", Reason.POLICY_NOT_FOUND, "small"),
    ),
    "every policy that is missing is named": (
        observed(unresolved=(MISSING, INVALID), references=2),
        ("False", Reason.POLICY_NOT_FOUND, "steady"),
    ),
    "a missing ConfigMap is named, though pods are ready": (
        observed(config_maps=(NO_LISTS,)),
        ("False", Reason.CONFIG_MAP_NOT_FOUND, "names"),
    ),
    "a ConfigMap without its key is named": (
        observed(config_maps=(NO_KEY,), pods=(of_list(None, "No such file"),)),
        ("False", Reason.CONFIG_MAP_KEY_NOT_FOUND, "allow-list.yaml"),
    ),
    "a pod that has seen the list of today counts": (
        observed(config_maps=(VOUCHED,), pods=(of_list("sha256:today"),)),
        ("True", Reason.READY, "1 pods"),
    ),
    "a pod that has seen an older list does not, and what it says of that is old news": (
        observed(config_maps=(VOUCHED,), pods=(of_list("sha256:before", WRONG),)),
        ("False", Reason.CONFIGURATION_PROPAGATING, "0 of 1 pods run"),
    ),
    "nor does a pod to which the list has not come yet": (
        observed(config_maps=(VOUCHED,), pods=(of_list(None, "No such file"),)),
        ("False", Reason.CONFIGURATION_PROPAGATING, "0 of 1 pods run"),
    ),
    "a list that pods refuse is a mistake of its author": (
        observed(config_maps=(VOUCHED,), pods=(of_list("sha256:today", WRONG),)),
        ("False", Reason.LIST_REFUSED, 'ConfigMap "vouched" of spec.detection.allowListRef is refused by 1 of 1 pods'),
    ),
    "the first mistake is told, the others are counted": (
        observed(config_maps=(VOUCHED,), pods=(of_list("sha256:today", WRONG),)),
        ("False", Reason.LIST_REFUSED, "pods: /etc/allow-list.yaml:3: entries.0: reason is missing (and 1 more); corr"),
    ),
    "of several pods those that refuse it are counted": (
        observed(
            deployment=deployment(2),
            config_maps=(VOUCHED,),
            pods=(of_list("sha256:today", WRONG), of_list("sha256:today")),
        ),
        ("False", Reason.LIST_REFUSED, "by 1 of 2 pods"),
    ),
    "a server that does not speak of lists is taken at its word about the rest": (
        observed(config_maps=(VOUCHED,)),
        ("True", Reason.READY, "1 pods"),
    ),
    "an unreadable policy says so": (
        observed(unresolved=(INVALID,), references=1),
        ("False", Reason.INVALID_POLICY, "spec.minReplicas"),
    ),
    "nothing is known before the Deployment is seen": (
        observed(deployment=None),
        ("False", Reason.ROLLING_OUT, "not been seen"),
    ),
    "a Deployment that Kubernetes has not looked at says nothing": (
        observed(deployment=deployment(observedGeneration=2)),
        ("False", Reason.ROLLING_OUT, "latest change"),
    ),
    "a Deployment without a status says nothing": (
        observed(deployment=deployment() | {"status": {}}),
        ("False", Reason.ROLLING_OUT, "latest change"),
    ),
    "a rollout that has not made enough pods is under way": (
        observed(deployment=deployment(2, updatedReplicas=1), pods=(pod(), pod())),
        ("False", Reason.ROLLING_OUT, "1 of 2 pods"),
    ),
    "a ready pod of the old version does not stand in for a new one that can't start": (
        observed(pods=(pod(template="old"), pod(None, manifest=waiting("ErrImagePull", "no such image")))),
        ("False", Reason.PODS_NOT_READY, "0 of 1 pods of the current version are ready: ErrImagePull, no such image"),
    ),
    "an API server that takes no changes comes before what is left of the old state": (
        observed(interruption="500 webhook down", references=1),
        ("False", Reason.APPLY_FAILING, "500 webhook down"),
    ),
    "a pod that is not ready does not count": (
        observed(pods=(pod(None),)),
        ("False", Reason.PODS_NOT_READY, "0 of 1 pods of the current version are ready"),
    ),
    "the kubelet's own words are passed on": (
        observed(pods=(pod(None, manifest=waiting("ImagePullBackOff", "no such image")),)),
        (
            "False",
            Reason.PODS_NOT_READY,
            "0 of 1 pods of the current version are ready: ImagePullBackOff, no such image",
        ),
    ),
    "a container that is only starting is no trouble": (
        observed(pods=(pod(None, manifest=waiting("ContainerCreating", "")),)),
        ("False", Reason.PODS_NOT_READY, "0 of 1 pods of the current version are ready"),
    ),
    "a quota's words are passed on": (
        observed(deployment=refused_pods("exceeded quota"), pods=()),
        ("False", Reason.PODS_NOT_READY, "exceeded quota"),
    ),
    "a pod that runs an older configuration does not count": (
        observed(pods=(pod(digest=OLD),)),
        ("False", Reason.CONFIGURATION_PROPAGATING, "0 of 1 pods run"),
    ),
    "a pod that does not say what it runs does not count": (
        observed(pods=(pod(report=NoAnswer("timeout")),)),
        ("False", Reason.PODS_UNREACHABLE, "1 ready pods do not say what they run: timeout"),
    ),
    "a pod that misses one question is no reason to give Ready up": (
        observed(pods=(pod(report=NoAnswer("timeout")),), previous=(was("Ready", "True", "Ready"),)),
        ("True", Reason.READY, "pods answer"),
    ),
    "a pod that has been silent for a moment is none either": (
        observed(
            pods=(pod(report=NoAnswer("timeout")),),
            previous=(was("Ready", "True", "Ready"), was("ConfigurationCurrent", "Unknown", "PodsUnreachable", 14)),
        ),
        ("True", Reason.READY, "pods answer"),
    ),
    "a pod that stays silent is": (
        observed(
            pods=(pod(report=NoAnswer("timeout")),),
            previous=(was("Ready", "True", "Ready"), was("ConfigurationCurrent", "Unknown", "PodsUnreachable", 15)),
        ),
        ("False", Reason.PODS_UNREACHABLE, "timeout"),
    ),
    "silence does not excuse another pod that runs an older configuration": (
        observed(
            deployment=deployment(2),
            pods=(pod(report=NoAnswer("timeout")), pod(digest=OLD)),
            previous=(was("Ready", "True", "Ready"),),
        ),
        ("False", Reason.CONFIGURATION_PROPAGATING, "0 of 2 pods run"),
    ),
    "a pod that has just become ready may be about to fall over": (
        observed(pods=(pod(JUST_NOW),)),
        ("False", Reason.PODS_NOT_READY, "less than 5 s"),
    ),
    "a configuration that has just taken effect may be about to be refused": (
        observed(pods=(pod(age=4.9),)),
        ("False", Reason.PODS_NOT_READY, "less than 5 s"),
    ),
}

# Cases that are about other conditions; kstatus must be right in them too.
OTHERS: dict[str, Observed] = {
    "stopped by a spec that can't be read": observed(
        deployment=None, pods=(), wanted_hash=None, failure=(Reason.INVALID_SPEC, "spec.replicas: no number")
    ),
    "stopped while everything runs": observed(failure=(Reason.APPLY_REFUSED, "quota")),
}

# sentence → observed → whether it is stalled
WAITING: dict[str, tuple[Observed, bool]] = {
    "a policy that is missing may come with the next object": (observed(references=1, unresolved=(MISSING,)), False),
    "so may a ConfigMap": (observed(config_maps=(NO_LISTS,)), False),
    "a policy that is wrong waits for its author": (observed(references=1, unresolved=(INVALID,)), True),
    "also beside one that is missing": (observed(references=2, unresolved=(MISSING, INVALID)), True),
    "so does a ConfigMap without the key": (observed(config_maps=(NO_KEY,)), True),
    "so does a list that pods refuse": (
        observed(config_maps=(VOUCHED,), pods=(of_list("sha256:today", WRONG),)),
        True,
    ),
    "an API server that takes nothing now is waited for, whatever else is wrong": (
        observed(references=1, unresolved=(INVALID,), interruption="500 webhook down"),
        False,
    ),
    "a child that has to be made anew is waited for": (observed(failure=(Reason.CHILD_UNCHANGEABLE, "old")), False),
    "a child that admission makes so waits for somebody": (observed(failure=(Reason.APPLY_REFUSED, "old")), True),
    "a rollout is waited for": (observed(deployment=deployment(updatedReplicas=0)), False),
    "a rollout out of time waits for somebody": (observed(deployment=out_of_time(updatedReplicas=0)), True),
    "so does one whose pods never become ready": (observed(deployment=out_of_time(), pods=(pod(None),)), True),
    "a change that Kubernetes has not taken up has its time before it": (
        observed(deployment=out_of_time(observedGeneration=2)),
        False,
    ),
    "enough pods are enough, though one more can't start": (
        observed(deployment=out_of_time(), min_replicas=1),
        False,
    ),
    "a policy that comes late has nothing to do with the deadline": (
        observed(deployment=out_of_time(), references=1, unresolved=(MISSING,)),
        False,
    ),
    "nor has a configuration on its way": (observed(deployment=out_of_time(), pods=(pod(digest=OLD),)), False),
}

ALL = {sentence: case[0] for table in (READY, WAITING) for sentence, case in table.items()} | OTHERS
