"""The chart's rights, by the code that needs them; `tests/cluster` runs the operator with exactly these."""

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

import rights
from typosentinel_operator import names, reconcile

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "charts" / "typosentinel" / "templates"
OPERATOR = Path(reconcile.__file__).parent
# Every call of the cluster's room, with the verbs that it takes.
VERBS = {
    "get": {"get"},
    "exists": {"get"},
    "list": {"list"},
    "pages": {"list"},
    "apply": {"patch", "create"},
    "apply_status": {"patch"},
    "delete": {"delete"},
    "annotate": {"patch"},
    "create": {"create"},
    "offer": {"create"},
    "taken": {"create"},
    "try_out": {"create"},
    "claim": {"create", "update"},
    "serves": set[str](),
    # Nothing that the API server is asked.
    "unsettled": set[str](),
    # Everybody's right.
    "whoami": set[str](),
}


def test_the_chart_grants_what_the_code_needs_and_no_more() -> None:
    """Too little is a crash loop, too much is somebody else's way in."""
    assert rights.needed() == rights.granted(rules_of("rbac.yaml"))


def test_of_leases_the_operator_has_its_own() -> None:
    """A creation can't be restricted to a name; those of other leaders it can neither see nor change."""
    lease = '{{ include "typosentinel.operator" . }}'
    granted = rights.granted(rules_of("lease.yaml", {lease: "sentinel-operator"}))
    assert rights.needed_of_leases("sentinel-operator") == granted


WEBHOOK = {'{{ include "typosentinel.webhook" . }}': "sentinel-webhook"}


def test_of_secrets_the_operator_reads_its_own_certificates() -> None:
    """And of what the API server asks of whom, it changes its own part: with more it could listen to everything."""
    secret, configuration = rights.needed_of_certificates("sentinel-webhook")
    assert secret == rights.granted(rules_of("webhookcertificates.yaml", WEBHOOK))
    assert configuration == rights.granted(rules_of("webhookcertificates.yaml", WEBHOOK, which=1))


def test_the_webhook_reads_and_nothing_more() -> None:
    """No verb that changes anything, and nothing that is secret."""
    assert rights.needed_of_the_webhook() == rights.granted(rules_of("webhookrights.yaml"))
    assert set().union(*rights.needed_of_the_webhook().values()) == {"get", "list"}
    assert "secrets" not in {resource for _, resource in rights.needed_of_the_webhook()}


def test_the_webhook_calls_what_reads() -> None:
    """What it calls of the cluster's room stands in its own, and is all in the table."""
    called = calls_in([OPERATOR / "webhook.py"])
    assert {verb for call in called for verb in VERBS[call]} == {"get", "list"}


def rules_of(template: str, filled: dict[str, str] | None = None, *, which: int = 0) -> list[dict[str, Any]]:
    """The rules of a role in a template of the chart, by default of the first one, once its values are filled in."""
    documents = (TEMPLATES / template).read_text().split("\n---\n")
    role = [document for document in documents if "\nrules:\n" in document][which].partition("\n{{- range")[0]
    for placeholder, value in (filled or {}).items():
        role = role.replace(placeholder, value)
    rules: list[dict[str, Any]] = yaml.safe_load(role[role.index("\nrules:\n") :])["rules"]
    return rules


def test_nothing_is_granted_wholesale() -> None:
    """No stars, no look into Secrets, no right to make rights."""
    for (group, resource), verbs in rights.needed().items():
        assert "*" not in {group, resource, *verbs}
        assert resource not in {"roles", "clusterroles"}
        assert resource != "secrets" or verbs == {"create"}


def test_the_table_knows_every_call_of_the_code() -> None:
    """A new call in the cluster's room, or of it, has to be thought of here."""
    room = ast.parse((OPERATOR / "cluster.py").read_text())
    (cluster,) = [node for node in room.body if isinstance(node, ast.ClassDef)]
    methods = [node for node in cluster.body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)]
    public = {node.name for node in methods if not node.name.startswith("_")}
    assert public - {"connect", "close"} == set(VERBS)


def test_every_verb_is_used_by_some_call() -> None:
    """What nobody calls needs no right; watching is kopf's, and the finalizers' right is asked for by admission."""
    calls = calls_in(OPERATOR.glob("*.py"))
    verbs = {verb for call in calls for verb in VERBS[call]} | {"watch", "update"}
    assert verbs == {verb for granted in rights.needed().values() for verb in granted}


def calls_in(paths: Iterable[Path]) -> set[str]:
    """Calls of the cluster's room in some files."""
    return {
        node.func.attr
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) in {"cluster", "self.cluster"}
    }


def test_what_is_watched_may_be_watched() -> None:
    """A watch without the right is an operator that sees nothing."""
    for kind in (*names.CUSTOM_KINDS, *names.CHILD_KINDS, names.POD):
        assert {"list", "watch"} <= rights.needed()[kind.group, kind.plural]
