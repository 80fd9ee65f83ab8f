import json
from pathlib import Path

import pytest

from faults.audit import AuditLog, made_and_removed
from faults.calls import Call

APPLY = "application/apply-patch+yaml"


@pytest.mark.parametrize(
    ("method", "path", "query", "content_type", "call"),
    [
        ("GET", "/api/v1/namespaces/a/pods", {}, "", Call("list", "", "pods", "a")),
        ("GET", "/api/v1/pods", {"watch": "true"}, "", Call("watch", "", "pods")),
        ("GET", "/apis/apps/v1/namespaces/a/deployments/x", {}, "", Call("get", "apps", "deployments", "a", "x")),
        ("POST", "/api/v1/namespaces/a/secrets", {}, "", Call("create", "", "secrets", "a")),
        ("POST", "/api/v1/namespaces/a/secrets", {"dryRun": "All"}, "", Call("create", "", "secrets", "a", dry=True)),
        ("PATCH", "/api/v1/namespaces/a/pods/x", {}, "", Call("patch", "", "pods", "a", "x")),
        (
            "PATCH",
            "/apis/g/v1/namespaces/a/things/x/status",
            {},
            APPLY,
            Call("apply", "g", "things", "a", "x", "status"),
        ),
        ("DELETE", "/api/v1/namespaces/a/services/x", {}, "", Call("delete", "", "services", "a", "x")),
        ("GET", "/readyz", {}, "", Call("get", "", "/readyz")),
    ],
)
def test_a_request_line_is_a_call(method: str, path: str, query: dict[str, str], content_type: str, call: Call) -> None:
    """In the words of RBAC, and what would come to nothing is told from what would not."""
    assert Call.of(method, path, query, content_type) == call
    assert call.writes == (method != "GET" and not call.dry)


def line(verb: str, name: str, code: int, user: str = "operator", **reference: str) -> str:
    """A line of an audit log."""
    about = {"resource": "services", "namespace": "a", "name": name} | reference
    entry = {"user": {"username": f"system:{user}"}, "verb": verb, "objectRef": about, "requestURI": "/x"}
    return json.dumps(entry | {"responseStatus": {"code": code}}) + "\n"


def test_the_log_is_read_as_it_grows(tmp_path: Path) -> None:
    """Each line once, a half one when it is whole, and nothing of what is skipped."""
    log = AuditLog(tmp_path / "audit.log")
    assert list(log.entries()) == []
    whole = line("create", "two", 201)
    (tmp_path / "audit.log").write_text(line("create", "one", 201) + whole[:20])
    assert [entry.name for entry in log.entries()] == ["one"]
    with (tmp_path / "audit.log").open("a") as file:
        file.write(whole[20:])
    assert [entry.name for entry in log.entries()] == ["two"]
    with (tmp_path / "audit.log").open("a") as file:
        file.write(line("create", "three", 201))
    log.skip()
    assert list(log.entries()) == []


def test_what_was_made_and_removed_is_counted(tmp_path: Path) -> None:
    """By whom it is asked, where it took effect; an apply that made something is as good as a create."""
    (tmp_path / "audit.log").write_text(
        line("create", "x", 201)
        + line("create", "x", 409)
        + line("patch", "y", 201)
        + line("patch", "y", 200)
        + line("patch", "y", 201, subresource="status")
        + line("delete", "x", 200)
        + line("delete", "x", 404)
        + line("create", "z", 201, user="somebody")
        + line("create", "w", 201, namespace="b")
    )
    found = made_and_removed(AuditLog(tmp_path / "audit.log").entries(), "a", "operator")
    assert found == {"create services/x": 1, "create services/y": 1, "delete services/x": 1}
