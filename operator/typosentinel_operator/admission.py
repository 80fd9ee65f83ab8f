"""What is said about an object that is being written, by what else there is in the cluster. Pure.

The definitions' own rules (CEL) have judged before what one object can tell. What is wrong and would stay so is
refused; what is merely missing may come with the next object applied, and is worth a warning.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from typosentinel_operator import drift, names, specs
from typosentinel_operator.errors import Permanent
from typosentinel_operator.names import Kind
from typosentinel_operator.specs import ScanServiceSpec

Manifest = dict[str, Any]

CREATE: Final = "CREATE"
UPDATE: Final = "UPDATE"
DELETE: Final = "DELETE"
# ScanServices that a warning names; more of them would only bury the sentence.
_NAMED_USERS: Final = 3


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to write.

    Attributes:
        uid: of the request, not of the object.
        kind: one of our own kinds.
        operation: CREATE, UPDATE or DELETE.
        namespace: of the object.
        name: of the object.
        new: the object as it is to be; empty for DELETE.
        old: the object as it is; empty for CREATE.
    """

    uid: str
    kind: Kind
    operation: str
    namespace: str
    name: str
    new: Manifest
    old: Manifest


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is beside the object.

    Attributes:
        deployment: what stands under the name of a ScanService's Deployment.
        autoscalers: all of the namespace.
        policies: those that a ScanService refers to; None where there is none.
        users: names of the ScanServices that refer to a policy.
    """

    deployment: Manifest | None = None
    autoscalers: tuple[Manifest, ...] = ()
    policies: Mapping[tuple[Kind, str], Manifest | None] = field(default_factory=dict)
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is answered.

    Attributes:
        refusals: why the object is not let in, each a sentence that says what to do; empty: it is.
        warnings: what its author should know.
    """

    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def concerns_us(request: Request) -> bool:
    """Whether there is anything to judge: not where the spec stays, nor where the object is on its way out."""
    if request.operation == DELETE:
        return request.kind != names.SCAN_SERVICE
    if "deletionTimestamp" in request.new["metadata"]:
        return False
    return request.operation == CREATE or request.new.get("spec") != request.old.get("spec")


def by_itself(request: Request) -> Verdict:
    """What the object alone tells that its definition could not say: whether the operator could read it."""
    if request.operation == DELETE:
        return Verdict()
    try:
        specs.parse(specs.SPECS[request.kind.name], request.new)
    except Permanent as error:
        return Verdict(refusals=(error.message,))
    return Verdict()


def references(request: Request) -> tuple[tuple[Kind, str], ...]:
    """The policies that a ScanService refers to; of one that `by_itself` has nothing against."""
    spec = specs.parse(ScanServiceSpec, request.new)
    found = ((names.CACHE_POLICY, spec.cache_policy_ref), (names.SCALING_POLICY, spec.scaling_policy_ref))
    return tuple((kind, reference.name) for kind, reference in found if reference is not None)


def among_others(request: Request, around: Surroundings) -> Verdict:
    """What follows from the object and what there is beside it."""
    if request.kind == names.SCAN_SERVICE:
        refusals = (*_name_taken(request, around), *_scaled_by_another(request, around))
        return Verdict(refusals, tuple(_unusable(request.namespace, around)))
    if request.operation == DELETE and around.users:
        return Verdict(warnings=(_still_in_use(request, around.users),))
    return Verdict()


def unchecked(verdict: Verdict, why: str) -> Verdict:
    """The same where the cluster could not be asked: who can't look does not stand in the way."""
    return Verdict(verdict.refusals, (*verdict.warnings, f"Not checked against other objects, and let through: {why}"))


def _name_taken(request: Request, around: Surroundings) -> tuple[str, ...]:
    child = names.child_name(request.name)
    taken = [around.deployment] if around.deployment is not None else []
    scales = any(kind == names.SCALING_POLICY for kind, _ in around.policies)
    taken += [found for found in around.autoscalers if scales and found["metadata"]["name"] == child]
    return tuple(
        f'{found["kind"]} "{child}" in namespace "{request.namespace}" exists and is not ours: rename or delete it, or '
        "give the ScanService another name"
        for found in taken
        if not _may_be_ours(request, found)
    )


def _scaled_by_another(request: Request, around: Surroundings) -> tuple[str, ...]:
    """Whether there is an autoscaler of somebody's that would fight with us for the number of pods."""
    return tuple(
        sentence
        for found in around.autoscalers
        if (sentence := foreign_scaling(found, names.child_name(request.name))) and not _may_be_ours(request, found)
    )


def foreign_scaling(autoscaler: Manifest, deployment: str) -> str | None:
    """What is to be said of an autoscaler that is not ours where it scales this Deployment of ours; otherwise None."""
    target = autoscaler["spec"]["scaleTargetRef"]
    # It may go without; then a Deployment is a Deployment.
    group = target.get("apiVersion", names.DEPLOYMENT.api_version).rpartition("/")[0]
    if (group, target["kind"], target["name"]) != (names.DEPLOYMENT.group, names.DEPLOYMENT.name, deployment):
        return None
    return (
        f'HorizontalPodAutoscaler "{autoscaler["metadata"]["name"]}" scales Deployment "{deployment}", whose number of '
        "pods comes from the ScanService: delete it, and refer to a ScalingPolicy where the number is not to be fixed"
    )


def _may_be_ours(request: Request, found: Manifest) -> bool:
    """Whether it is a child of this ScanService, or one that it takes over: an orphan, or one of its predecessor's."""
    uid = request.new["metadata"].get("uid", "")
    is_child = found["metadata"]["name"] == names.child_name(request.name)
    return is_child and (
        drift.is_ours(found, uid) or drift.is_orphan(found, request.name) or drift.is_former(found, request.name, uid)
    )


def _unusable(namespace: str, around: Surroundings) -> list[str]:
    found = []
    for (kind, name), policy in around.policies.items():
        if policy is None:
            found.append(
                f'{kind.name} "{name}" does not exist in namespace "{namespace}": the ScanService waits until it does'
            )
            continue
        try:
            specs.parse(specs.SPECS[kind.name], policy)
        except Permanent as error:
            found.append(f'{kind.name} "{name}" is not used until it is corrected: {error.message}')
    return found


def _still_in_use(request: Request, users: tuple[str, ...]) -> str:
    shown = ", ".join(users[:_NAMED_USERS])
    more = f" and {len(users) - _NAMED_USERS} more" if len(users) > _NAMED_USERS else ""
    return (
        f'{request.kind.name} "{request.name}" is still referred to, by ScanService {shown}{more}: what runs goes on '
        "as it is, and waits for a policy of this name"
    )
