"""The audit of rights: what is granted, what was used, and what has a reason."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from faults.audit import AuditLog
from rightsaudit import compare, explained, record
from rightsaudit.record import Use
from rightsaudit.right import Right, of_table

READ = Right("apps", "deployments", "get")
DELETE = Right("apps", "deployments", "delete")
OWN_LEASE = Right("coordination.k8s.io", "leases", "update", "RELEASE-operator")
ACCOUNT = "system:serviceaccount:typosentinel-system:sentinel-operator"


def compared(uses: dict[Use, int], **reasons: dict[Right, str]) -> compare.Findings:
    """Two rights, and what was done with them."""
    return compare.compare({READ, DELETE}, Counter(uses), reasons.get("unused", {}), reasons.get("denied", {}))


def test_a_right_that_nobody_uses_needs_a_reason() -> None:
    """And a reason needs such a right."""
    read = {Use(READ, allowed=True): 3}
    found = compared(read)
    assert (found.used, found.unexplained, found.good) == (Counter({READ: 3}), (DELETE,), False)
    assert compared(read, unused={DELETE: "because"}).good
    found = compared(read, unused={DELETE: "because", READ: "because"})
    assert (found.stale, found.good) == ((READ,), False)
    assert compared(read, unused={DELETE: "because", OWN_LEASE: "because"}).stale == (OWN_LEASE,)


def test_a_request_that_was_denied_needs_a_reason() -> None:
    """What another role allows is none of the chart's, and no denial."""
    every = {Use(READ, allowed=True): 1, Use(DELETE, allowed=True): 1}
    assert compared(every).good
    assert compared(every | {Use(OWN_LEASE, allowed=True): 1}).good
    found = compared(every | {Use(OWN_LEASE, allowed=False): 2})
    assert (found.denied, found.denied_unexplained, found.good) == (Counter({OWN_LEASE: 2}), (OWN_LEASE,), False)
    assert compared(every | {Use(OWN_LEASE, allowed=False): 2}, denied={OWN_LEASE: "because"}).good
    assert compared(every, denied={OWN_LEASE: "because"}).stale == (OWN_LEASE,)


def test_a_right_to_one_object_covers_no_other() -> None:
    """One without a name covers all of them."""
    other = Right("coordination.k8s.io", "leases", "update")
    assert OWN_LEASE.covers(OWN_LEASE)
    assert not OWN_LEASE.covers(other)
    assert other.covers(OWN_LEASE)


def test_rights_of_one_account_are_none_of_the_other() -> None:
    """And the name of the release is of no interest."""
    table = {("", "secrets:sentinel-webhook"): {"get"}, ("", "secrets:theirs"): {"get"}}
    ours, theirs = of_table(table, "operator", "sentinel")
    assert (ours.name, theirs.name) == ("RELEASE-webhook", "theirs")
    (other,) = of_table({("", "secrets:sentinel-webhook"): {"get"}}, "webhook", "sentinel")
    assert ours.covers(ours)
    assert not ours.covers(other)


def line(verb: str, resource: str, name: str = "", code: int = 200, **more: Any) -> str:
    """A line of an audit log."""
    about = {"apiGroup": "", "resource": resource, "name": name, "namespace": "team-a"}
    user = {"username": more.pop("user", ACCOUNT)}
    entry = {"verb": verb, "user": user, "objectRef": about, "responseStatus": {"code": code}, **more}
    return json.dumps(entry) + "\n"


def test_a_record_tells_what_the_operator_asked_for(tmp_path: Path) -> None:
    """Of its own Lease with the name; an apply that makes something has created it; others do not count."""
    forbidden = {"authorization.k8s.io/decision": "forbid"}
    log = tmp_path / "audit.log"
    webhook = "system:serviceaccount:typosentinel-system:sentinel-webhook"
    log.write_text(
        line("get", "services")
        + line("get", "services", user=webhook)
        + line("patch", "secrets", "sentinel-webhook")
        + line("patch", "services", "front-scanner", 201)
        + line("patch", "services", "front-scanner", 403)
        + line("get", "secrets", "token", 403, annotations=forbidden)
        + line("update", "leases", "sentinel-operator")
        + line("update", "leases", "another")
        + line("delete", "services", user="system:serviceaccount:kube-system:generic-garbage-collector")
    )
    found = record.uses(AuditLog(log).entries())
    assert found == {
        Use(Right("", "services", "get"), allowed=True): 1,
        Use(Right("", "services", "get", who="webhook"), allowed=True): 1,
        Use(Right("", "secrets", "patch", "RELEASE-webhook"), allowed=True): 1,
        Use(Right("", "services", "patch"), allowed=True): 2,
        Use(Right("", "services", "create"), allowed=True): 1,
        Use(Right("", "secrets", "get"), allowed=False): 1,
        Use(Right("", "leases", "update", "RELEASE-operator"), allowed=True): 1,
        Use(Right("", "leases", "update"), allowed=True): 1,
    }
    record.keep("some", log, reports=tmp_path / "reports")
    (kept,) = record.kept(tmp_path / "reports")
    assert (kept.suite, kept.current, kept.uses) == ("some", True, found)


def test_what_is_denied_now_and_then_is_no_want_of_a_right(tmp_path: Path) -> None:
    """An API server that has just started knows no roles; what is never allowed in that place counts."""
    forbidden = {"authorization.k8s.io/decision": "forbid"}
    narrow = "system:serviceaccount:typosentinel-system:narrow-operator"
    log = tmp_path / "audit.log"
    log.write_text(
        line("list", "pods", code=403, annotations=forbidden)
        + line("list", "pods")
        + line("list", "pods", code=403, annotations=forbidden, user=narrow)
    )
    right = Right("", "pods", "list")
    assert record.uses(AuditLog(log).entries()) == {Use(right, allowed=True): 1, Use(right, allowed=False): 1}


def test_where_nothing_was_asked_nothing_is_kept(tmp_path: Path) -> None:
    """An empty record would only look like one."""
    record.keep("some", tmp_path / "audit.log", reports=tmp_path / "reports")
    assert list(record.kept(tmp_path / "reports")) == []


def test_every_explanation_is_a_sentence() -> None:
    """For people who do not know why."""
    for reason in (*explained.UNUSED.values(), *explained.DENIED.values()):
        assert len(reason) > 40
        assert reason.endswith(".")
