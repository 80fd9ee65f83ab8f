"""The webhook over HTTP: reviews, what is no review, and an API server that does not answer."""

import asyncio
import gzip
import io
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

import factories
from reviewing import REVIEW_UID, review
from typosentinel_operator import names, webhook
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.errors import ClusterError
from typosentinel_operator.telemetry import make_webhook_telemetry
from typosentinel_operator.webhook import Reviewer

Manifest = dict[str, Any]

SECONDS = 0.3
GIVEN = factories.stored(factories.scan_service(cachePolicyRef={"name": "small"}))


class Objects(Cluster):
    """A cluster that is read.

    Attributes:
        held: what is there, by kind and name.
        before: awaited before each answer; what it raises is the answer.
        asked: what was asked for.
    """

    def __init__(self) -> None:
        self.held: dict[tuple[names.Kind, str], Manifest] = {}
        self.before: Callable[[], Any] | None = None
        self.asked: list[tuple[str, str | None]] = []

    async def get(self, kind: names.Kind, namespace: str | None, name: str, *, seconds: float = 0) -> Manifest | None:
        """One object."""
        assert not seconds
        await self._answer(kind, namespace)
        return self.held.get((kind, name))

    async def list(self, kind: names.Kind, namespace: str, *, selector: str = "") -> list[Manifest]:
        """All of a kind."""
        assert not selector
        await self._answer(kind, namespace)
        return [found for (held, _), found in self.held.items() if held == kind]

    async def _answer(self, kind: names.Kind, namespace: str | None) -> None:
        self.asked.append((kind.name, namespace))
        if self.before:
            await self.before()


class Asked:
    """The webhook at a real port.

    Attributes:
        cluster: what it reads.
        registry: its figures.
        leaving: whether it is about to end.
    """

    def __init__(self) -> None:
        self.cluster = Objects()
        self.registry = CollectorRegistry()
        self.leaving = False
        self.url = ""

    @asynccontextmanager
    async def serving(self, *namespaces: str) -> AsyncIterator[aiohttp.ClientSession]:
        """Serve; for these namespaces or all."""
        reviewer = Reviewer(self.cluster, namespaces, SECONDS)
        telemetry = make_webhook_telemetry(self.registry)
        runner = webhook.make_runner(reviewer, telemetry, time.monotonic, lambda: self.leaving)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}{names.WEBHOOK_PATH}"
        try:
            async with aiohttp.ClientSession() as session:
                yield session
        finally:
            await runner.cleanup()

    def count(self, result: str) -> float | None:
        """Requests of this result."""
        return self.registry.get_sample_value(names.WebhookMetric.REQUESTS, {"result": result})


@pytest.fixture
def asked() -> Asked:
    """A webhook of a cluster in which there is nothing."""
    return Asked()


async def answered(asked: Asked, given: Manifest, *namespaces: str) -> Manifest:
    """What is said to a review."""
    async with asked.serving(*namespaces) as session, session.post(asked.url, json=given) as answer:
        assert answer.status == 200
        found: Manifest = await answer.json()
    assert (found["kind"], found["response"].pop("uid")) == ("AdmissionReview", REVIEW_UID)
    return dict(found["response"])


async def test_a_missing_policy_is_a_warning(asked: Asked) -> None:
    """Read in the namespace of the object, and nowhere else."""
    found = await answered(asked, review(GIVEN))
    assert found["allowed"] is True
    assert 'CachePolicy "small" does not exist' in found["warnings"][0]
    assert asked.count("warned") == 1
    assert asked.cluster.asked == [
        ("Deployment", "team-a"),
        ("HorizontalPodAutoscaler", "team-a"),
        ("CachePolicy", "team-a"),
    ]


async def test_with_everything_there_it_is_let_in(asked: Asked) -> None:
    """Without a word."""
    asked.cluster.held[names.CACHE_POLICY, "small"] = factories.cache_policy()
    assert await answered(asked, review(GIVEN)) == {"allowed": True}
    assert asked.count("allowed") == 1


async def test_a_name_that_is_taken_is_refused(asked: Asked) -> None:
    """By whoever."""
    taken = {"kind": "Deployment", "metadata": {"name": "front-scanner"}}
    asked.cluster.held[names.DEPLOYMENT, "front-scanner"] = taken
    found = await answered(asked, review(GIVEN))
    assert found["allowed"] is False
    assert "is not ours" in found["status"]["message"]
    assert asked.count("denied") == 1


async def test_a_spec_that_cannot_be_read_is_refused_without_a_look(asked: Asked) -> None:
    """Whatever else there is."""
    found = await answered(asked, review(factories.scan_service(surprise=1)))
    assert found["allowed"] is False
    assert asked.cluster.asked == []


@pytest.mark.parametrize("given", [review(GIVEN, GIVEN), review(None, GIVEN)])
async def test_what_is_not_judged_costs_no_question(asked: Asked, given: Manifest) -> None:
    """Labels, finalizers, deletions."""
    assert await answered(asked, given) == {"allowed": True}
    assert asked.cluster.asked == []


async def test_deleting_a_policy_in_use_is_a_warning(asked: Asked) -> None:
    """Told by name."""
    asked.cluster.held[names.SCAN_SERVICE, "front"] = GIVEN
    asked.cluster.held[names.SCAN_SERVICE, "rear"] = factories.scan_service("rear")
    found = await answered(asked, review(None, factories.cache_policy()))
    assert found["allowed"] is True
    assert "by ScanService front: " in found["warnings"][0]


async def test_writing_a_policy_needs_no_look(asked: Asked) -> None:
    """It depends on nothing else."""
    assert await answered(asked, review(factories.cache_policy())) == {"allowed": True}
    assert asked.cluster.asked == []


async def test_elsewhere_nothing_is_judged(asked: Asked) -> None:
    """Where it has no rights it would only complain."""
    assert await answered(asked, review(GIVEN), "team-b") == {"allowed": True}
    assert asked.cluster.asked == []


async def test_an_api_server_that_does_not_answer_is_not_waited_for(asked: Asked) -> None:
    """Let through with a warning, in time."""

    async def never() -> None:
        await asyncio.Event().wait()

    asked.cluster.before = never
    started = time.monotonic()
    found = await answered(asked, review(GIVEN))
    assert found["allowed"] is True
    assert "the API server did not answer within 0.3 s" in found["warnings"][0]
    assert time.monotonic() - started < 3
    assert asked.count("unchecked") == 1


async def test_an_error_of_the_api_server_is_told_in_a_warning(asked: Asked) -> None:
    """In its own words."""

    async def failing() -> None:
        raise ClusterError("GET /apis: 403 forbidden", status=403)

    asked.cluster.before = failing
    found = await answered(asked, review(GIVEN))
    assert found == {
        "allowed": True,
        "warnings": ["Not checked against other objects, and let through: GET /apis: 403 forbidden"],
    }


async def test_no_more_than_a_few_are_worked_on_at_once(asked: Asked) -> None:
    """Each costs questions to the API server, and anybody may ask; who has no place is let through in time."""
    running = most = 0

    async def slowly() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            await asyncio.sleep(10)
        finally:
            running -= 1

    asked.cluster.before = slowly
    async with asked.serving() as session:

        async def one() -> bool:
            async with session.post(asked.url, json=review(GIVEN)) as answer:
                return bool((await answer.json())["response"]["allowed"])

        assert all(await asyncio.gather(*(one() for _ in range(80))))
    assert most == webhook.MAX_CONCURRENCY


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 400),
        (b"{}", 400),
        (b"[" * 100_000, 400),
        (json.dumps(review(GIVEN, uid="")).encode(), 400),
        (gzip.compress(json.dumps(review(GIVEN)).encode()), 400),
        (b'"' + b"x" * webhook.MAX_BYTES + b'"', 413),
    ],
)
async def test_what_is_no_review_is_told_in_json(asked: Asked, body: bytes, code: int) -> None:
    """And counted; nobody is asked about it."""
    async with (
        asked.serving() as session,
        session.post(asked.url, data=io.BytesIO(body), headers=_packed(body)) as answer,
    ):
        told = await answer.json()
        assert (answer.status, told["kind"], told["code"]) == (code, "Status", code)
        assert "Traceback" not in told["message"]
    assert asked.count("bad") == 1
    assert asked.cluster.asked == []


def _packed(body: bytes) -> dict[str, str]:
    return {"Content-Encoding": "gzip"} if body.startswith(b"\x1f\x8b") else {}


async def test_other_ways_in_are_told_in_json(asked: Asked) -> None:
    """There is one path and one method."""
    async with asked.serving() as session:
        async with session.get(asked.url) as answer:
            assert (answer.status, (await answer.json())["code"]) == (405, 405)
        async with session.post(asked.url + "/else", json={}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, 404)


async def test_a_body_that_does_not_come_is_not_waited_for(asked: Asked) -> None:
    """The API server would have gone on by then."""
    async with asked.serving():
        port = int(asked.url.rpartition(":")[2].partition("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        answer = await reader.readuntil(b"\r\n")
        writer.close()
    assert b" 408 " in answer


async def test_a_fault_of_ours_is_an_error_of_one_line(asked: Asked) -> None:
    """Failing, the API server goes on without us."""

    async def broken() -> None:
        raise RuntimeError("secret words")

    asked.cluster.before = broken
    async with asked.serving() as session, session.post(asked.url, json=review(GIVEN)) as answer:
        assert answer.status == 500
        assert "secret words" not in await answer.text()


async def test_who_leaves_sends_others_elsewhere(asked: Asked) -> None:
    """The connections that the API server keeps would end with the process."""
    async with asked.serving() as session:
        async with session.post(asked.url, json=review(GIVEN)) as answer:
            assert "Connection" not in answer.headers
        asked.leaving = True
        async with session.post(asked.url, json=review(GIVEN)) as answer:
            assert answer.headers["Connection"] == "close"
