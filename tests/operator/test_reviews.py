"""AdmissionReviews: what is read of them, what is no review, and what is answered."""

import copy
import json
from typing import Any

import pytest

import factories
from reviewing import REVIEW_UID, review
from typosentinel_operator import names, reviews
from typosentinel_operator.admission import Verdict
from typosentinel_operator.errors import BadReview

GIVEN = factories.stored(factories.scan_service())


def encoded(given: Any) -> bytes:
    """As it is on the wire."""
    return json.dumps(given).encode()


def test_a_creation_is_read() -> None:
    """With the object as it is to be."""
    found = reviews.read(encoded(review(GIVEN)))
    assert (found.uid, found.kind, found.operation) == (REVIEW_UID, names.SCAN_SERVICE, "CREATE")
    assert (found.namespace, found.name, found.new, found.old) == ("team-a", "front", GIVEN, {})


def test_an_update_is_read_with_both_objects() -> None:
    """To see what has changed."""
    changed = GIVEN | {"spec": {"replicas": 2}}
    found = reviews.read(encoded(review(changed, GIVEN)))
    assert (found.new, found.old) == (changed, GIVEN)


def test_a_deletion_is_read_with_what_is_deleted() -> None:
    """There is no other object."""
    found = reviews.read(encoded(review(None, factories.cache_policy())))
    assert (found.kind, found.name, found.new) == (names.CACHE_POLICY, "small", {})
    assert found.old == factories.cache_policy()


def changed(path: str, value: Any) -> Any:
    """A review with another value there."""
    found = copy.deepcopy(review(GIVEN))
    *way, last = path.split(".")
    inner = found
    for part in way:
        inner = inner[part]
    inner[last] = value
    return found


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"null", "review"),
        (b"[]", "review"),
        (b"{}", "apiVersion"),
        (encoded(changed("apiVersion", "admission.k8s.io/v1beta1")), "apiVersion"),
        (encoded(changed("kind", "Review")), "kind"),
        (encoded(changed("request", None)), "request"),
        (encoded(changed("request.uid", "")), "request.uid"),
        (encoded(changed("request.operation", "CONNECT")), "request.operation"),
        (encoded(changed("request.operation", "UPDATE")), "an object is missing that belongs to UPDATE"),
        (encoded(changed("request.operation", "DELETE")), "an object is missing that belongs to DELETE"),
        (encoded(changed("request.object", None)), "an object is missing that belongs to CREATE"),
        (encoded(changed("request.object", [])), "request.object"),
        (encoded(changed("request.object.metadata", None)), "request.object.metadata"),
        (encoded(changed("request.object.metadata.name", 7)), "request.object.metadata.name"),
        (encoded(changed("request.namespace", "")), "request.namespace"),
        (encoded(changed("request.kind.group", "apps")), "request.kind: takes typosentinel.io/v1alpha1"),
        (encoded(changed("request.kind.kind", "Deployment")), "request.kind: takes"),
        (encoded(changed("request.kind", "ScanService")), "request.kind"),
    ],
)
def test_what_is_no_review_is_told_by_its_field(body: bytes, words: str) -> None:
    """Whoever sends it is no API server of ours."""
    with pytest.raises(BadReview, match=words):
        reviews.read(body)


def test_what_is_let_in_is_answered_without_words() -> None:
    """And to the request that was asked about."""
    response = {"uid": "7", "allowed": True}
    wanted = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
    assert reviews.answer("7", Verdict()) == wanted


def test_a_refusal_says_that_the_object_is_wrong() -> None:
    """422, as the API server says of what its own rules refuse: not that a right is missing, nor to try again."""
    response = reviews.answer("7", Verdict(refusals=("a", "b")))["response"]
    assert response == {"uid": "7", "allowed": False, "status": {"code": 422, "reason": "Invalid", "message": "a; b"}}


def test_warnings_are_cut_where_the_api_server_would_cut_them() -> None:
    """Ten of 256 characters stay below what it passes on altogether."""
    warnings = reviews.answer("7", Verdict(warnings=("w" * 300,) * 20))["response"]["warnings"]
    assert len(warnings) == 10
    assert {len(warning) for warning in warnings} == {256}
    assert warnings[0].endswith("w…")
