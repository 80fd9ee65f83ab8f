"""Situations in which a user's object can be, and what a person who looks at it would say of each.

What the operator would have written is made by its own pure functions. Typed by hand is what a spec, a cluster or a
user does to it, and conditions that no operator writes yet.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

import factories
import kstatus
from factories import deployment, observed, pod
from sights import of_list
from typosentinel_operator import names, policies, specs, status
from typosentinel_operator.errors import Permanent
from typosentinel_operator.interventions import Interventions, Override, Pause
from typosentinel_operator.names import Kind, Reason
from typosentinel_operator.observed import ConfigMapView, NoAnswer, Observed, PodView, Unresolved

Manifest = dict[str, Any]

CRDS: Final = Path(__file__).resolve().parents[1] / "crds"
# What kstatus says where a person says this; a situation may know better.
MEANS: Final = {"Progressing": kstatus.IN_PROGRESS, "Healthy": kstatus.CURRENT, "Degraded": kstatus.FAILED}


@dataclass(frozen=True, slots=True)
class Situation:
    """One object at one moment.

    Attributes:
        manifest: the object as the API server has it.
        health: what a person says, in Argo CD's words.
        message: a part of what is said of it.
        kstatus: the same in the words of kstatus.
        sample: name of the file in which it is published with the health scripts, or "".
    """

    manifest: Manifest
    health: str
    message: str
    kstatus: str
    sample: str = ""


def _kind(manifest: Manifest) -> Kind:
    (kind,) = [kind for kind in names.CUSTOM_KINDS if kind.name == manifest["kind"]]
    return kind


def _default_status(kind: Kind) -> Manifest:
    """The status that an API server gives to a new object."""
    definition = yaml.safe_load((CRDS / f"{kind.group}_{kind.plural}.yaml").read_text(encoding="utf-8"))
    (version,) = definition["spec"]["versions"]
    fields = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    return {name: field["default"] for name, field in fields.items() if "default" in field}


def _fresh(manifest: Manifest) -> Manifest:
    """An object that nobody but the API server has looked at."""
    return factories.stored(manifest) | {"status": _default_status(_kind(manifest))}


def _seen(seen: Observed, *more: Manifest, **since: Any) -> Manifest:
    """A ScanService as the operator reports on it.

    Args:
        seen: what the operator saw.
        more: conditions that no operator writes yet.
        since: what has happened to the object's metadata afterwards.
    """
    written = status.document(seen, 1)
    written["conditions"] += [
        {"observedGeneration": 1, "lastTransitionTime": "2026-05-04T11:30:00Z"} | one for one in more
    ]
    return factories.stored(factories.scan_service(), **since) | {"status": written}


def _policy(written: Manifest, users: int = 1, **since: Any) -> Manifest:
    """A policy as the operator reports on it; `since` is what has happened to its metadata afterwards."""
    manifest = factories.stored(written)
    reported = policies.document(manifest, _kind(manifest), users, factories.NOW)
    return factories.stored(written, **since) | {"status": reported}


def _invalid(**spec: Any) -> tuple[str, str]:
    """How a spec fails that can't be read."""
    try:
        specs.parse(specs.ScanServiceSpec, factories.stored(factories.scan_service(**spec)))
    except Permanent as error:
        return error.reason, error.message
    raise AssertionError(spec)


def _waiting(reason: str, message: str) -> PodView:
    """A pod whose container waits."""
    container = {"name": names.CONTAINER, "state": {"waiting": {"reason": reason, "message": message}}}
    labels = {names.LABEL_TEMPLATE: factories.TEMPLATE}
    phase = {"phase": "Pending", "containerStatuses": [container]}
    return pod(None, manifest={"metadata": {"uid": "p2", "labels": labels}, "status": phase})


def _autoscaler(reason: str, message: str) -> Manifest:
    """An autoscaler that has no numbers to work with."""
    inactive = {"type": "ScalingActive", "status": "False", "reason": reason, "message": message}
    return {"spec": {"minReplicas": 1}, "status": {"conditions": [inactive]}}


def _condition(aspect: str, reason: str, message: str) -> Manifest:
    return {"type": aspect, "status": "True", "reason": reason, "message": message}


def progressing(manifest: Manifest, message: str, sample: str = "") -> Situation:
    """Wait: it will come, or somebody is expected to bring what is missing."""
    return Situation(manifest, "Progressing", message, MEANS["Progressing"], sample)


def healthy(manifest: Manifest, message: str, sample: str = "") -> Situation:
    """What was asked for is there."""
    return Situation(manifest, "Healthy", message, MEANS["Healthy"], sample)


def degraded(manifest: Manifest, message: str, sample: str = "") -> Situation:
    """Somebody has to act."""
    return Situation(manifest, "Degraded", message, MEANS["Degraded"], sample)


def suspended(manifest: Manifest, message: str, sample: str = "") -> Situation:
    """Somebody has said that nothing is to be done; kstatus has no word for it and says what Ready says."""
    return Situation(manifest, "Suspended", message, kstatus.CURRENT, sample)


def leaving(manifest: Manifest, sample: str = "") -> Situation:
    """It goes, whatever it was before; Argo CD has no word for that, and waits."""
    return Situation(manifest, "Progressing", "Being deleted", kstatus.TERMINATING, sample)


GOING: Manifest = {"deletionTimestamp": "2026-05-04T12:05:00Z", "finalizers": ["example.org/kept"]}
CHANGED: Manifest = {"generation": 2}
NOT_SEEN = "has not looked at this version"
PULL = _waiting("ImagePullBackOff", "no such image")
GIVEN_UP = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
QUOTA = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: pods=3"}
NO_POLICY = Unresolved(Reason.POLICY_NOT_FOUND, 'CachePolicy "small" does not exist in namespace "team-a"')
BAD_POLICY = Unresolved(Reason.INVALID_POLICY, 'ScalingPolicy "steady": spec.minReplicas: no number')
VOUCHED = ConfigMapView(specs.ALLOW_LIST_REFERENCE, "vouched", digest="sha256:today")
NO_LISTS = ConfigMapView(
    specs.CORPUS_REFERENCE, "names", Unresolved(Reason.CONFIG_MAP_NOT_FOUND, 'ConfigMap "names" does not exist')
)
NO_KEY = replace(
    VOUCHED, digest=None, trouble=Unresolved(Reason.CONFIG_MAP_KEY_NOT_FOUND, 'ConfigMap "vouched" has no key')
)
NO_METRICS = "the HPA was unable to compute the replica count: no metrics returned from resource metrics API"
UNREADABLE = observed(deployment=None, pods=(), wanted_hash=None, failure=_invalid(replicas="three"))
FLEET = observed(deployment=deployment(5, readyReplicas=4), min_replicas=2, pods=(*([pod()] * 4), pod(None)))
ANSWERS = "1 pods answer as specified"
PAUSED = observed(interventions=Interventions(pause=Pause.ALL))


SCAN_SERVICES: dict[str, Situation] = {
    "it has just been applied": progressing(_fresh(factories.scan_service()), NOT_SEEN, "fresh"),
    "its spec has changed since the operator looked": progressing(_seen(observed(), **CHANGED), NOT_SEEN, "changed"),
    "its mistake has been mended, and the operator has not looked": progressing(_seen(UNREADABLE, **CHANGED), NOT_SEEN),
    "its Deployment has only been asked for": progressing(
        _seen(observed(deployment=None, pods=())), "The Deployment has not been seen yet"
    ),
    "a new version rolls out": progressing(
        _seen(observed(deployment=deployment(2, updatedReplicas=1), pods=(pod(), pod()))), "1 of 2 pods", "rolling-out"
    ),
    "pods start": progressing(_seen(observed(pods=(pod(None),))), "0 of 1 pods of the current version are ready"),
    "all is well": healthy(_seen(observed()), "1 pods answer as specified", "ready"),
    "all is well and the operator has died since": healthy(_seen(observed()), "1 pods answer as specified"),
    "the operator has died, and the spec has changed since": progressing(_seen(observed(), **CHANGED), NOT_SEEN),
    "one pod of an autoscaled fleet is down, above the floor": healthy(_seen(FLEET), "4 pods answer as specified"),
    "one pod above the floor has not reloaded yet": healthy(
        _seen(replace(FLEET, pods=(*([pod()] * 4), pod(digest="sha256:old")))), "1 of 5 pods still run with an older"
    ),
    "one pod of a fixed number is down": progressing(
        _seen(observed(deployment=deployment(2, readyReplicas=1), pods=(pod(), pod(None)))), "1 of 2 pods"
    ),
    "it is scaled to zero, as it was asked to be": healthy(
        _seen(observed(deployment=deployment(0), pods=())), "spec.replicas is 0: nothing answers", "scaled-to-zero"
    ),
    "a policy is missing, and may come with the same sync": progressing(
        _seen(observed(references=1, unresolved=(NO_POLICY,))), "does not exist", "policy-missing"
    ),
    "a policy can't be read": degraded(
        _seen(observed(references=1, unresolved=(BAD_POLICY,))), 'ScalingPolicy "steady"', "policy-invalid"
    ),
    "its spec can't be read": degraded(_seen(UNREADABLE), "spec.replicas", "invalid"),
    "somebody else's Service has the name of a child": degraded(
        _seen(observed(failure=(Reason.NAME_CONFLICT, "Service front-scanner is somebody else's"))), "somebody else's"
    ),
    "the API server refuses a child, for a quota": degraded(
        _seen(observed(failure=(Reason.APPLY_REFUSED, "The API server refuses Service: exceeded quota"))), "quota"
    ),
    "the API server takes no changes at the moment": progressing(
        _seen(observed(interruption="500 webhook down")), "500 webhook down"
    ),
    "the image can't be had, a minute ago": progressing(_seen(observed(pods=(PULL,))), "ImagePullBackOff"),
    "the image can't be had, and the deadline has passed": degraded(
        _seen(observed(deployment=deployment(readyReplicas=0, conditions=[GIVEN_UP]), pods=(PULL,))),
        "ImagePullBackOff, no such image",
        "out-of-time",
    ),
    "a quota allows no pods, a minute ago": progressing(
        _seen(observed(deployment=deployment(updatedReplicas=0, readyReplicas=0, conditions=[QUOTA]), pods=())),
        "exceeded quota: pods=3",
    ),
    "a quota allows no pods, and the deadline has passed": degraded(
        _seen(observed(deployment=deployment(updatedReplicas=0, conditions=[QUOTA, GIVEN_UP]), pods=())),
        "exceeded quota: pods=3",
    ),
    "one more pod can't start, and the deadline has passed": healthy(
        _seen(replace(FLEET, deployment=deployment(5, readyReplicas=4, conditions=[GIVEN_UP]))), "4 pods answer"
    ),
    "a ConfigMap is missing, and may come with the same sync": progressing(
        _seen(observed(config_maps=(NO_LISTS,))), 'ConfigMap "names" does not exist'
    ),
    "a ConfigMap lacks its key": degraded(_seen(observed(config_maps=(NO_KEY,))), "has no key"),
    "a list is wrong, and pods refuse it": degraded(
        _seen(observed(config_maps=(VOUCHED,), pods=(of_list("sha256:today", "line 3: no reason"),))),
        "is refused by 1 of 1 pods: line 3: no reason",
    ),
    "a list has been corrected, and pods have not seen it": progressing(
        _seen(observed(config_maps=(VOUCHED,), pods=(of_list("sha256:before", "line 3: no reason"),))),
        "0 of 1 pods run the current configuration and lists",
    ),
    "pods don't say what they run": progressing(_seen(observed(pods=(pod(report=NoAnswer("timeout")),))), "timeout"),
    "the autoscaler has no metrics": healthy(
        _seen(observed(min_replicas=1, autoscaler=_autoscaler("FailedGetResourceMetric", NO_METRICS))),
        f"1 pods answer as specified; {NO_METRICS}",
        "no-metrics",
    ),
    "the autoscaler has not spoken": healthy(
        _seen(observed(min_replicas=1, autoscaler={"spec": {"minReplicas": 1}})), "1 pods answer as specified"
    ),
    "it is being deleted": leaving(_seen(observed(), **GOING), "going"),
    "it is being deleted, and was stalled": leaving(_seen(UNREADABLE, **GOING)),
    "it is being deleted before anybody has looked": leaving(
        _fresh(factories.scan_service()) | {"metadata": factories.stored(factories.scan_service(), **GOING)["metadata"]}
    ),
    "it is paused": suspended(_seen(PAUSED), "children are left as they are", "paused"),
    "it is paused, and has changed since": progressing(_seen(PAUSED, **CHANGED), NOT_SEEN),
    "it is paused, and a change waits for that": replace(
        suspended(
            _seen(replace(PAUSED, withheld=("Deployment is to change: spec.template",))), "Deployment is to change"
        ),
        kstatus=kstatus.IN_PROGRESS,
    ),
    "pods may only be added": healthy(_seen(observed(interventions=Interventions(pause=Pause.SCALE_IN))), ANSWERS),
    "somebody wants eight pods for now": healthy(
        _seen(observed(interventions=Interventions(override=Override(8, factories.NOW, "sale")))), ANSWERS
    ),
    "somebody wants a number of pods, and says not until when": healthy(
        _seen(observed(interventions=Interventions(override_trouble="An override needs an end"))), ANSWERS
    ),
    "it scales by a fallback": healthy(
        _seen(observed(), _condition("FallbackActive", "MetricsStale", "4 pods until numbers come")),
        "1 pods answer as specified; 4 pods until numbers come",
    ),
    "its standby serves": healthy(
        _seen(observed(), _condition("FailoverActive", "PrimaryUnhealthy", "The standby serves")), "The standby serves"
    ),
}

BROKEN: Manifest = {"minReplicas": "three", "maxReplicas": 5}
POLICIES: dict[str, Situation] = {
    "a cache policy has just been applied": progressing(_fresh(factories.cache_policy()), NOT_SEEN, "fresh"),
    "a scaling policy has just been applied": progressing(_fresh(factories.scaling_policy()), NOT_SEEN, "fresh"),
    "a cache policy is in use": healthy(_policy(factories.cache_policy()), "can be referred to", "accepted"),
    "a scaling policy is in use": healthy(_policy(factories.scaling_policy()), "can be referred to", "accepted"),
    "nobody uses a policy": healthy(_policy(factories.cache_policy(), 0), "can be referred to"),
    "a cache policy can't be read": degraded(
        _policy(factories.cache_policy(memory={"ttl": "soon"})), "spec.memory.ttl", "invalid"
    ),
    "a scaling policy can't be read": degraded(_policy(factories.scaling_policy(**BROKEN)), "minReplicas", "invalid"),
    "a cache policy has changed": progressing(_policy(factories.cache_policy(), **CHANGED), NOT_SEEN, "changed"),
    "a scaling policy has been mended": progressing(
        _policy(factories.scaling_policy(**BROKEN), **CHANGED), NOT_SEEN, "changed"
    ),
    "a cache policy is being deleted": leaving(_policy(factories.cache_policy(), **GOING), "going"),
    "a scaling policy is being deleted": leaving(_policy(factories.scaling_policy(), **GOING), "going"),
}

ALL = SCAN_SERVICES | POLICIES
