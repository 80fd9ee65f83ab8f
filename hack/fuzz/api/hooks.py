"""What schemathesis does not know by itself: values that mean something, and refusals that are in order."""

from datetime import date
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, Response

# Days and addresses that can be; that others are refused is said in words, not in the schema.
DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2026, 1, 1)).map(date.isoformat)
REPOSITORIES = st.sampled_from(("https://github.com/owner/name", "github:owner/name", "git@gitlab.com:owner/name.git"))
REFUSALS = {
    "scan": {"UNKNOWN_ECOSYSTEM", "ECOSYSTEM_NOT_SERVED", "NAME_EMPTY", "NAME_TOO_LONG", "NAME_INVALID"}
    | {"NAME_HAS_INVISIBLE_CHARACTER"},
    "scaleWorkers": {"WRONG_BOUNDS"},
    "invalidate": {"KEY_REFUSED"},
    "putCacheEntry": {"KEY_REFUSED"},
    "addCacheEntry": {"KEY_REFUSED"},
    "putCacheEntries": {"KEY_REFUSED"},
}
FIELDS = {"code", "message", "suggestion", "timestamp", "requestId"}
UNPROCESSABLE = 422
UNAVAILABLE = 503

schemathesis.openapi.format("date", DAYS)
schemathesis.openapi.format("uri-reference", REPOSITORIES)


@schemathesis.check
def refused_for_what_it_means(_ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """What the schema allows is never refused for its shape."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != UNPROCESSABLE:
        return
    code = response.json()["error"]["code"]
    allowed = REFUSALS.get(case.operation.definition.raw.get("operationId"), set())
    if code not in allowed:
        raise AssertionError(f"{case.body!r} is as the schema wants it, and refused as {code}")


@schemathesis.check
def errors_are_of_one_form(_ctx: CheckContext, response: Response, _case: Case[Any]) -> None:
    """Every error has code, sentence, way out, time and id; a server's own has nothing of its inside."""
    if response.status_code < 400 or response.request.method == "HEAD":  # noqa: PLR2004 - errors begin there
        return
    if "problem+json" in response.headers["content-type"][0]:
        return
    found = response.json()
    error = found.get("error")
    if error is None:
        # Health says how ill it is in its own words.
        if response.status_code != UNAVAILABLE:
            raise AssertionError(f"no error is in {found}")
        return
    if set(error) != FIELDS or error["requestId"] != response.headers["x-request-id"][0]:
        raise AssertionError(f"an error is not of the one form: {error}")
    if "Traceback" in response.text:
        raise AssertionError("an error shows the server's inside")
