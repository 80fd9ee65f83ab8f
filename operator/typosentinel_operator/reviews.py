"""AdmissionReview v1 (admission.k8s.io) as it comes and as it goes. Pure."""

import json
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError

from typosentinel_operator import names
from typosentinel_operator.admission import DELETE, Request, Verdict
from typosentinel_operator.errors import BadReview

Manifest = dict[str, Any]

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
# What the API server passes on to clients in full, in characters: longer warnings it cuts itself.
_LONGEST_WARNING: Final = 256
_MANY_WARNINGS: Final = 10
# Not 403, which reads as if a right were missing, nor 409, which some clients would try again.
_REFUSED: Final = {"code": 422, "reason": "Invalid"}
_KINDS: Final = {(names.GROUP, names.VERSION, kind.name): kind for kind in names.CUSTOM_KINDS}

_Name = Annotated[str, Field(min_length=1, max_length=253)]


class _Metadata(BaseModel):
    # The API server has generated a name by the time validation is asked.
    name: _Name


class _Object(BaseModel):
    metadata: _Metadata


class _Kind(BaseModel):
    group: str
    version: str
    kind: str


class _Request(BaseModel):
    uid: Annotated[str, Field(min_length=1, max_length=253)]
    kind: _Kind
    operation: Literal["CREATE", "UPDATE", "DELETE"]
    namespace: _Name
    object: _Object | None = None
    oldObject: _Object | None = None  # noqa: N815 - as it is on the wire


class _Review(BaseModel):
    apiVersion: Literal["admission.k8s.io/v1"]  # noqa: N815 - as it is on the wire
    kind: Literal["AdmissionReview"]
    request: _Request


def read(body: bytes) -> Request:
    """The request in a review.

    Raises:
        BadReview: it is none, or not about one of our kinds.
    """
    try:
        given = json.loads(body)
        review = _Review.model_validate(given)
    except ValidationError as error:
        raise BadReview("; ".join(f"{_path(one['loc'])}: {one['msg']}" for one in error.errors())) from None
    except (ValueError, RecursionError):
        raise BadReview("not JSON") from None
    asked, raw = review.request, given["request"]
    told = asked.oldObject if asked.operation == DELETE else asked.object
    if told is None or (asked.operation == "UPDATE" and asked.oldObject is None):
        raise BadReview(f"request: an object is missing that belongs to {asked.operation}")
    kind = _KINDS.get((asked.kind.group, asked.kind.version, asked.kind.kind))
    if kind is None:
        raise BadReview(f"request.kind: takes {names.API_VERSION} and its kinds")
    # As lists give them, too: error messages name the kind.
    identity = {"apiVersion": kind.api_version, "kind": kind.name}
    return Request(
        uid=asked.uid,
        kind=kind,
        operation=asked.operation,
        namespace=asked.namespace,
        name=told.metadata.name,
        new=(raw["object"] | identity) if asked.object is not None and asked.operation != DELETE else {},
        old=(raw["oldObject"] | identity) if asked.oldObject is not None else {},
    )


def answer(uid: str, verdict: Verdict) -> Manifest:
    """The review that is sent back."""
    response: Manifest = {"uid": uid, "allowed": not verdict.refusals}
    if verdict.refusals:
        response["status"] = _REFUSED | {"message": "; ".join(verdict.refusals)}
    if verdict.warnings:
        response["warnings"] = [_short(warning) for warning in verdict.warnings[:_MANY_WARNINGS]]
    return {"apiVersion": API_VERSION, "kind": KIND, "response": response}


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "review"


def _short(warning: str) -> str:
    return warning if len(warning) <= _LONGEST_WARNING else warning[: _LONGEST_WARNING - 1] + "…"
