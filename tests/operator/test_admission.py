"""What is refused, what is worth a warning, and what is nobody's business."""

from typing import Any

import pytest

import factories
from typosentinel_operator import admission, names
from typosentinel_operator.admission import Request, Surroundings, Verdict

Manifest = dict[str, Any]

CHILD = "front-scanner"
OTHER_UID = "9d1f2b1c-6a3f-4f39-9a3e-0d9b5a6f7c99"


def asked(new: Manifest | None = None, old: Manifest | None = None) -> Request:
    """A request as the API server makes it: a creation, an update, or, without `new`, a deletion."""
    told = new or old or {}
    (kind,) = [kind for kind in names.CUSTOM_KINDS if kind.name == told["kind"]]
    meta = told["metadata"]
    operation = admission.DELETE if new is None else admission.UPDATE if old is not None else admission.CREATE
    return Request("1", kind, operation, meta["namespace"], meta["name"], new or {}, old or {})


def service(**spec: Any) -> Manifest:
    """A ScanService `front` as it is handed to validation: with its uid."""
    return factories.stored(factories.scan_service(**spec))


def owned_by(kind: str, name: str, uid: str) -> list[Manifest]:
    """Owner references with this controller."""
    return [{"apiVersion": names.API_VERSION, "kind": kind, "name": name, "uid": uid, "controller": True}]


def deployment(**meta: Any) -> Manifest:
    """A Deployment of the child's name."""
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": CHILD, **meta}}


def autoscaler(name: str = "theirs", target: str = CHILD, kind: str = "Deployment", **meta: Any) -> Manifest:
    """An autoscaler of this target."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, **meta},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": target}},
    }


ORPHAN = {names.LABEL_MANAGED_BY: names.FIELD_MANAGER, names.LABEL_SCAN_SERVICE: "front"}
OURS = {"ownerReferences": owned_by("ScanService", "front", factories.UID)}
FORMER = {"ownerReferences": owned_by("ScanService", "front", OTHER_UID)}
FOREIGN: dict[str, Manifest] = {
    "nobody's": {},
    "a Helm release's": {"labels": {names.LABEL_MANAGED_BY: "Helm"}},
    "another ScanService's": {"ownerReferences": owned_by("ScanService", "rear", OTHER_UID)},
    "somebody's with our labels": {"labels": ORPHAN, "ownerReferences": owned_by("Rollout", "front", OTHER_UID)},
    "an orphan of another ScanService": {"labels": ORPHAN | {names.LABEL_SCAN_SERVICE: "rear"}},
}
OWN: dict[str, Manifest] = {"ours": OURS, "an orphan": {"labels": ORPHAN}, "a predecessor's": FORMER}
SCALED = {"scalingPolicyRef": {"name": "steady"}}
STEADY = {(names.SCALING_POLICY, "steady"): factories.scaling_policy()}


@pytest.mark.parametrize("whose", FOREIGN)
def test_a_deployment_of_somebody_else_is_told_with_what_to_do(whose: str) -> None:
    """The operator would stall over it."""
    verdict = admission.among_others(asked(service()), Surroundings(deployment=deployment(**FOREIGN[whose])))
    (refusal,) = verdict.refusals
    assert f'Deployment "{CHILD}" in namespace "team-a" exists and is not ours' in refusal
    assert "rename or delete it, or give the ScanService another name" in refusal


@pytest.mark.parametrize("whose", OWN)
def test_a_deployment_that_is_taken_over_is_no_trouble(whose: str) -> None:
    """As `apply` sees it: an orphan is adopted, a predecessor's is being removed."""
    around = Surroundings(
        deployment=deployment(**OWN[whose]), autoscalers=(autoscaler(CHILD, **OWN[whose]),), policies=STEADY
    )
    assert admission.among_others(asked(service(**SCALED)), around) == Verdict()


@pytest.mark.parametrize("spec", [{}, {"replicas": 3}, SCALED])
@pytest.mark.parametrize("whose", FOREIGN)
def test_an_autoscaler_of_somebody_else_is_refused(spec: Manifest, whose: str) -> None:
    """The number of pods is ours in any case: fixed, 1, or our own autoscaler's."""
    around = Surroundings(autoscalers=(autoscaler(**FOREIGN[whose]),))
    (refusal,) = admission.among_others(asked(service(**spec)), around).refusals
    assert f'HorizontalPodAutoscaler "theirs" scales Deployment "{CHILD}"' in refusal
    assert "delete it" in refusal


@pytest.mark.parametrize(
    "other",
    [
        autoscaler(target="rear-scanner"),
        autoscaler(target="front", kind="ScanService"),
        autoscaler(kind="Deployment", target="front"),
        autoscaler(CHILD, target="else"),
    ],
)
def test_autoscalers_of_other_things_are_nobodys_business(other: Manifest) -> None:
    """Our own kind has a scale of its own, which anybody may drive; and without a policy we make no autoscaler."""
    assert admission.among_others(asked(service()), Surroundings(autoscalers=(other,))) == Verdict()


def test_an_autoscaler_without_a_version_means_a_deployment() -> None:
    """The field may be left out."""
    theirs = autoscaler()
    del theirs["spec"]["scaleTargetRef"]["apiVersion"]
    assert admission.among_others(asked(service()), Surroundings(autoscalers=(theirs,))).refusals


def test_a_foreign_autoscaler_under_our_name_is_refused_where_we_would_make_one() -> None:
    """Whatever it scales."""
    around = Surroundings(autoscalers=(autoscaler(CHILD, target="else"),), policies=STEADY)
    (refusal,) = admission.among_others(asked(service(**SCALED)), around).refusals
    assert f'HorizontalPodAutoscaler "{CHILD}" in namespace "team-a" exists and is not ours' in refusal


def test_all_that_is_wrong_is_said_at_once() -> None:
    """One correction after the other would be a slow teacher."""
    around = Surroundings(deployment=deployment(), autoscalers=(autoscaler(), autoscaler("more")))
    assert len(admission.among_others(asked(service()), around).refusals) == 3


def test_a_policy_that_is_not_there_is_worth_a_warning() -> None:
    """It may come with the next object of the same sync."""
    missing: dict[tuple[names.Kind, str], Manifest | None] = {
        (names.CACHE_POLICY, "small"): None,
        (names.SCALING_POLICY, "steady"): None,
    }
    verdict = admission.among_others(asked(service()), Surroundings(policies=missing))
    assert verdict.refusals == ()
    assert verdict.warnings == (
        'CachePolicy "small" does not exist in namespace "team-a": the ScanService waits until it does',
        'ScalingPolicy "steady" does not exist in namespace "team-a": the ScanService waits until it does',
    )


def test_a_policy_that_cannot_be_read_is_worth_a_warning() -> None:
    """One that was written under another version of its definition."""
    broken = factories.cache_policy(memory={"maxEntries": "many"})
    around = Surroundings(policies={(names.CACHE_POLICY, "small"): broken})
    (warning,) = admission.among_others(asked(service()), around).warnings
    assert warning.startswith(
        'CachePolicy "small" is not used until it is corrected: CachePolicy can\'t be read: spec.'
    )
    assert admission.among_others(asked(service()), Surroundings(policies=STEADY)) == Verdict()


@pytest.mark.parametrize(
    ("users", "words"),
    [
        (("front",), "by ScanService front: what runs goes on"),
        (("a", "b", "c"), "by ScanService a, b, c: "),
        (("a", "b", "c", "d", "e"), "by ScanService a, b, c and 2 more: "),
    ],
)
def test_deleting_a_policy_in_use_is_worth_a_warning(users: tuple[str, ...], words: str) -> None:
    """And no more: what runs goes on, and the order of deletions is free."""
    verdict = admission.among_others(asked(old=factories.cache_policy()), Surroundings(users=users))
    (warning,) = verdict.warnings
    assert words in warning
    assert verdict.refusals == ()
    assert admission.among_others(asked(old=factories.cache_policy()), Surroundings()) == Verdict()


def test_a_spec_that_the_operator_could_not_read_is_refused() -> None:
    """Rules that are beyond what CEL may cost."""
    providers = {"vulnerabilities": {"url": "http://10.1.2.3/v1/query"}}
    (refusal,) = admission.by_itself(asked(service(providers=providers))).refusals
    assert "spec.providers" in refusal
    assert "10.1.2.3 lies in no network of allowPrivate" in refusal
    allowed = providers | {"allowPrivate": ["10.0.0.0/8"]}
    assert admission.by_itself(asked(service(providers=allowed))) == Verdict()


@pytest.mark.parametrize("make", [factories.cache_policy, factories.scaling_policy])
def test_a_policy_that_could_not_be_read_is_refused(make: Any) -> None:
    """The same of policies; their deletion is not about what they hold."""
    assert admission.by_itself(asked(make(surprise=1))).refusals
    assert admission.by_itself(asked(make())) == Verdict()
    assert admission.by_itself(asked(old=make(surprise=1))) == Verdict()


def test_both_references_are_looked_up() -> None:
    """By kind and name."""
    assert admission.references(asked(service())) == ()
    both = service(cachePolicyRef={"name": "small"}, **SCALED)
    assert admission.references(asked(both)) == ((names.CACHE_POLICY, "small"), (names.SCALING_POLICY, "steady"))


LABELLED = {"metadata": {"name": "front", "namespace": "team-a", "labels": {"a": "b"}}}
GOING = {"metadata": {"name": "front", "namespace": "team-a", "deletionTimestamp": "2026-05-04T12:00:00Z"}}


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (asked(service()), True),
        (asked(service(replicas=2), service(replicas=1)), True),
        (asked(service(), service()), False),
        (asked(service() | LABELLED, service()), False),
        (asked(service(replicas=2) | GOING, service() | GOING), False),
        (asked(old=service()), False),
        (asked(old=factories.cache_policy()), True),
        (asked(old=factories.scaling_policy()), True),
        (asked(factories.cache_policy()), True),
    ],
)
def test_only_what_changes_a_spec_or_removes_a_policy_is_judged(request_: Request, wanted: bool) -> None:  # noqa: FBT001
    """A bad object may be labelled, annotated, relieved of finalizers and deleted."""
    assert admission.concerns_us(request_) is wanted


def test_no_two_scan_services_of_a_namespace_have_a_child_in_common() -> None:
    """The suffix is the same for all, so a second one under the same name is the same one, which the API refuses."""
    assert names.child_name("a") == "a" + names.CHILD_SUFFIX
    assert names.child_name("a-scanner") != names.child_name("a")


def test_who_cannot_look_lets_through_and_says_so() -> None:
    """As if nobody had been asked, but for the word about it."""
    verdict = admission.unchecked(Verdict(), "no answer")
    assert verdict.refusals == ()
    assert verdict.warnings == ("Not checked against other objects, and let through: no answer",)
