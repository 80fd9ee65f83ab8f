"""The HTTP API over real sockets."""

import json
from typing import Any

import pytest

from running import Start, ask

JSON = {"Content-Type": "application/json"}


async def test_squat_is_judged_with_evidence(start: Start) -> None:
    """The whole answer to a question, field by field."""
    found = await ask(await start(), ecosystem="pypi", name="Reqeusts", version="1.0")

    assert len(found.pop("id")) == 32
    assert found.pop("durationMs") > 0
    assert found.pop("corpusVersion").startswith("sha256:")
    contributions = found["findings"][0].pop("contributions")
    assert {c["reason"] for c in contributions} >= {"two neighbouring letters are swapped"}
    score = found["score"]
    assert 0.9 < score < 1
    assert found == {
        "ecosystem": "PyPI",
        "name": "Reqeusts",
        "normalizedName": "reqeusts",
        "version": "1.0",
        "verdict": "suspicious",
        "score": score,
        "known": False,
        "rank": None,
        "targets": ["requests"],
        "findings": [
            {
                "technique": "transposition",
                "target": "requests",
                "targetRank": 2,
                "message": 'two neighbouring letters of "requests" (rank 2) are swapped',
                "score": score,
                "cleared": False,
            }
        ],
        "allowances": [],
        "cached": False,
    }


async def test_popular_name_is_known_and_unlisted_name_is_not(start: Start) -> None:
    """No finding is not the same as known to be good."""
    server = await start()
    known = await ask(server, ecosystem="npm", name="lodash")
    unknown = await ask(server, ecosystem="npm", name="entirely-something-else")

    assert (known["verdict"], known["known"], known["rank"]) == ("clean", True, 1)
    assert (unknown["verdict"], unknown["known"], unknown["findings"]) == ("clean", False, [])


async def test_second_answer_comes_from_the_cache_under_any_spelling(start: Start) -> None:
    """The registry's identity is the key; id, name and version stay the asker's."""
    server = await start()
    first = await ask(server, ecosystem="PyPI", name="python.datetuil")
    second = await ask(server, ecosystem="pypi", name="Python_Datetuil", version="2")

    assert (first["cached"], second["cached"]) == (False, True)
    assert (second["name"], second["version"], second["verdict"]) == ("Python_Datetuil", "2", first["verdict"])
    assert first["id"] != second["id"]


NAME = '{"ecosystem":"PyPI","name":%s}'


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "BODY_EMPTY"),
        (b"  \n", 400, "BODY_EMPTY"),
        (b"{", 400, "MALFORMED_JSON"),
        (b"\xff\xfe", 400, "MALFORMED_JSON"),
        (b"[" * 20_000, 400, "MALFORMED_JSON"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400, "MALFORMED_JSON"),
        (b'{"ecosystem":"PyPI","name":NaN}', 400, "MALFORMED_JSON"),
        (b'{"ecosystem":"PyPI","name":-Infinity}', 400, "MALFORMED_JSON"),
        (b'{"ecosystem":"PyPI","name":' + b"1" * 5_000 + b"}", 400, "MALFORMED_JSON"),
        (b'{"name":"a","name":"b","ecosystem":"PyPI"}', 400, "MALFORMED_JSON"),
        (b"null", 422, "INVALID_REQUEST"),
        (b"[]", 422, "INVALID_REQUEST"),
        (b'"requests"', 422, "INVALID_REQUEST"),
        (b"{}", 422, "INVALID_REQUEST"),
        (b'{"ecosystem":"PyPI"}', 422, "INVALID_REQUEST"),
        (b'{"ecosystem":"PyPI","name":1}', 422, "INVALID_REQUEST"),
        (b'{"ecosystem":"PyPI","name":null}', 422, "INVALID_REQUEST"),
        (b'{"ecosystem":["PyPI"],"name":"a"}', 422, "INVALID_REQUEST"),
        (b'{"ecosystem":"PyPI","name":"a","version":1}', 422, "INVALID_REQUEST"),
        (b'{"ecosystem":"PyPI","name":"a","nmae":"b"}', 422, "INVALID_REQUEST"),
        (b'{"ecosystem":"PyPI","name":"a","\\ud800":"b"}', 422, "INVALID_REQUEST"),
        (b'{"ecosystem":"PyPI","name":"a\\ud800"}', 422, None),
        (b'{"ecosystem":"\\udfff","name":"a"}', 422, None),
        (b'{"ecosystem":"pypy","name":"a"}', 422, "UNKNOWN_ECOSYSTEM"),
        (b'{"ecosystem":"NuGet","name":"a"}', 422, "ECOSYSTEM_NOT_SERVED"),
        ((NAME % '""').encode(), 422, "NAME_EMPTY"),
        ((NAME % ('"' + "a" * 10_000 + '"')).encode(), 422, "NAME_TOO_LONG"),
        ((NAME % r'"a\u0000"').encode(), 422, "NAME_HAS_INVISIBLE_CHARACTER"),
        ((NAME % r'"\u202ea"').encode(), 422, "NAME_HAS_INVISIBLE_CHARACTER"),
        ((NAME % '"a b"').encode(), 422, "NAME_HAS_INVISIBLE_CHARACTER"),
        ((NAME % '"../../etc/passwd"').encode(), 422, "NAME_INVALID"),
        ((NAME % '"<script>"').encode(), 422, "NAME_INVALID"),
        ((NAME % '"\U0001f600"').encode(), 422, "NAME_INVALID"),
        (b" " * 70_000, 413, "BODY_TOO_LARGE"),
    ],
)
async def test_malformed_questions_are_refused_in_one_form(
    start: Start, body: bytes, status: int, code: str | None
) -> None:
    """Every refusal has code, message, suggestion, time and request id, and is never the server's fault."""
    server = await start()
    async with server.http.post("/api/v1/scan", data=body, headers=JSON) as response:
        found = await response.json()

    assert response.status == status
    assert set(found) == {"error"}
    assert set(found["error"]) == {"code", "message", "suggestion", "timestamp", "requestId"}
    assert all(found["error"].values())
    assert code is None or found["error"]["code"] == code
    assert found["error"]["requestId"] == response.headers["X-Request-ID"]


async def test_body_that_hides_its_size_is_cut_off(start: Start) -> None:
    """A chunked body has no length to go by; it is counted as it comes."""
    server = await start()

    async def chunks() -> Any:
        for _ in range(10):
            yield b" " * 10_000

    async with server.http.post("/api/v1/scan", data=chunks(), headers=JSON) as response:
        assert response.status == 413
        assert (await response.json())["error"]["code"] == "BODY_TOO_LARGE"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/api/v1/scan", {}, 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/health", {}, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/nothing", {}, 404, "NOT_FOUND"),
        ("GET", "/%00%ff", {}, 404, "NOT_FOUND"),
        ("POST", "/api/v1/scan/", JSON, 404, "NOT_FOUND"),
        ("POST", "/api/v1/scan", {"Content-Type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_wrong_calls_are_refused_in_one_form(
    start: Start, method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    """Wrong path, method or type read like every other refusal."""
    server = await start()
    async with server.http.request(method, path, data=b"{}", headers=headers) as response:
        found = await response.json()

    assert (response.status, found["error"]["code"]) == (status, code)
    assert all(found["error"].values())
    assert ("Allow" in response.headers) == (status == 405)


async def test_slip_in_a_field_is_answered_with_the_right_one(start: Start) -> None:
    """A suggestion that can be followed."""
    server = await start()
    async with server.http.post("/api/v1/scan", json={"ecosystem": "PyPI", "nmae": "a", "name": "b"}) as response:
        assert (await response.json())["error"]["suggestion"].startswith("Did you mean name?")
    body = b'{"ecosystem":"PyPI","name":"a","\\ud800":"b"}'
    async with server.http.post("/api/v1/scan", data=body, headers=JSON) as response:
        assert (await response.json())["error"]["message"] == "the name of a field is no text"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("my-id-1", True), ("", False), ("a b", False), ("x" * 129, False), ("<script>", False)],
)
async def test_request_id_is_the_callers_where_it_is_decent(start: Start, given: str, *, kept: bool) -> None:
    """Ids go through to logs and headers, so not every text may be one."""
    server = await start()
    async with server.http.get("/live", headers={"X-Request-ID": given}) as response:
        found = response.headers["X-Request-ID"]

    assert (found == given) is kept
    assert len(found) == 32 or kept


async def test_answers_say_who_answered(start: Start) -> None:
    """With many pods behind one name, the header tells which it was."""
    server = await start()
    async with server.http.get("/live") as response:
        assert response.headers["X-Served-By"] == "pod-1"


async def test_failure_inside_is_an_answer_too(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """A defect costs its own request only, tells nothing of the inside, and is logged with the request id."""
    server = await start()
    object.__setattr__(server.parts, "ring", None)
    async with server.http.get("/health", headers={"X-Request-ID": "abc"}) as response:
        found = await response.json()

    assert (response.status, found["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert "NoneType" not in json.dumps(found)
    logged = json.loads(capsys.readouterr().err)
    assert (logged["request_id"], logged["path"]) == ("abc", "/health")
