"""AdmissionReviews as an API server sends them."""

from typing import Any

from typosentinel_operator import names, reviews

Manifest = dict[str, Any]
REVIEW_UID = "0df28fbd-5f5f-11e8-bc74-36e6bb280816"


def review(new: Manifest | None, old: Manifest | None = None, **changes: Any) -> Manifest:
    """A review of a creation, an update or, where `new` is None, a deletion; keyword arguments change the request."""
    operation = "DELETE" if new is None else "UPDATE" if old is not None else "CREATE"
    told = new or old or {}
    request = {
        "uid": REVIEW_UID,
        "kind": {"group": names.GROUP, "version": names.VERSION, "kind": told["kind"]},
        "operation": operation,
        "namespace": told["metadata"]["namespace"],
        "object": new,
        "oldObject": old,
        "dryRun": False,
        **changes,
    }
    return {"apiVersion": reviews.API_VERSION, "kind": reviews.KIND, "request": request}
