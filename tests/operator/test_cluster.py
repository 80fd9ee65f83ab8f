"""The room that speaks to kube-apiserver, against servers that do not behave."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

import factories
from sockets import Behavior, answering, dripping, endless, hanging, saying
from typosentinel_operator import names
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.errors import ClusterError, Conflict, Permanent, Refused
from typosentinel_operator.telemetry import make_telemetry

Serve = Callable[[Behavior], Awaitable[int]]
TIMEOUT = 0.3
SERVICE = factories.stored(factories.scan_service())


def kubeconfig(port: int) -> str:
    """A kubeconfig for a plain HTTP server here."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )


@asynccontextmanager
async def connected(
    port: int, folder: Path, tenure: Callable[[], float] = lambda: math.inf
) -> AsyncIterator[tuple[Cluster, CollectorRegistry]]:
    """A client of the server at this port."""
    path = folder / "kubeconfig"
    path.write_text(kubeconfig(port))
    registry = CollectorRegistry()
    cluster = await Cluster.connect(make_telemetry(registry), TIMEOUT, "test", str(path), tenure)
    try:
        yield cluster, registry
    finally:
        await cluster.close()


def status(code: str, message: str, *headers: str) -> Behavior:
    """An error as kube-apiserver words it."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message}
    return answering(code, json.dumps(body).encode(), "Content-Type: application/json", *headers)


# Every call that the operator makes.
CALLS: dict[str, Callable[[Cluster], Awaitable[Any]]] = {
    "serves": lambda cluster: cluster.serves(*names.CUSTOM_KINDS),
    "get": lambda cluster: cluster.get(names.SCAN_SERVICE, "team-a", "front"),
    "exists": lambda cluster: cluster.exists(names.CONFIG_MAP, "team-a", "names"),
    "list": lambda cluster: cluster.list(names.SCAN_SERVICE, "team-a"),
    "apply": lambda cluster: cluster.apply(names.SCAN_SERVICE, SERVICE, None),
    "apply_status": lambda cluster: cluster.apply_status(names.SCAN_SERVICE, SERVICE, {}),
    "delete": lambda cluster: cluster.delete(names.SCAN_SERVICE, SERVICE),
    "annotate": lambda cluster: cluster.annotate(names.POD, SERVICE, {"a": "b"}),
    "create": lambda cluster: cluster.create(names.EVENT, SERVICE),
    "offer": lambda cluster: cluster.offer(names.SECRET, SERVICE),
    "taken": lambda cluster: cluster.taken(names.SECRET, "team-a", "redis"),
    "try_out": lambda cluster: cluster.try_out(names.SERVICE, SERVICE),
    "claim": lambda cluster: cluster.claim(SERVICE, seconds=60.0),
    "whoami": lambda cluster: cluster.whoami(seconds=60.0),
}
READS = {"serves", "get", "exists", "list"}

MISBEHAVIOR: dict[str, Behavior] = {
    "garbage with 200": answering("200 OK", b"not JSON"),
    "an empty body": answering("200 OK", b""),
    "bytes that are no text": answering("200 OK", b"\xff\xfe"),
    "brackets without end": answering("200 OK", b"[" * 200_000),
    "a list in place of an object": answering("200 OK", b"[1]"),
    "an HTML error page": answering("500 Internal Server Error", b"<html>oops</html>", "Content-Type: text/html"),
    "an error without a message": answering("500 Internal Server Error", b'{"kind": "Status"}'),
    "an error whose message is null": answering("500 Internal Server Error", b'{"message": null}'),
    "an error of brackets": answering("500 Internal Server Error", b"[" * 200_000),
    "502 from a proxy": answering("502 Bad Gateway", b""),
    "a redirect to nowhere": answering("302 Found", b"", "Location: http://127.0.0.1:1/"),
    "a redirect without end": answering("302 Found", b"", "Location: /again"),
    "what is not HTTP": saying(b"\x15\x03\x01\x00\x02\x02\x16"),
    "half an answer": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
    "nothing": saying(b""),
    "silence": hanging,
    "a byte now and then": dripping,
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("sentence", MISBEHAVIOR)
async def test_no_exception_of_a_library_leaves_the_room(
    sentence: str, call: str, serve: Serve, tmp_path: Path
) -> None:
    """Whatever comes back, within the deadline it is an answer or an error of ours."""
    async with (
        connected(await serve(MISBEHAVIOR[sentence]), tmp_path) as (cluster, _),
        asyncio.timeout(3.0),
    ):
        with pytest.raises(ClusterError) as caught:
            await CALLS[call](cluster)
    assert str(caught.value)


@pytest.mark.parametrize("call", ["list", "get"])
async def test_a_body_without_end_ends_at_the_deadline(call: str, serve: Serve, tmp_path: Path) -> None:
    """It does not hold a worker for ever."""
    async with connected(await serve(endless), tmp_path) as (cluster, _), asyncio.timeout(3.0):
        with pytest.raises(ClusterError):
            await CALLS[call](cluster)


@pytest.mark.parametrize("call", CALLS)
async def test_nobody_there_is_a_cluster_error(call: str, free_port: int, tmp_path: Path) -> None:
    """It says what was tried; it carries no HTTP status because there was none."""
    async with connected(free_port, tmp_path) as (cluster, _):
        with pytest.raises(ClusterError) as caught:
            await CALLS[call](cluster)
    assert caught.value.status is None


@pytest.mark.parametrize(
    ("behavior", "kind", "code", "wait"),
    [
        (status("409 Conflict", "changed in between"), Conflict, 409, None),
        (status("422 Unprocessable Entity", "spec.replicas: wrong"), Refused, 422, None),
        (status("403 Forbidden", "no right"), Refused, 403, None),
        (status("400 Bad Request", "what?"), Refused, 400, None),
        (status("500 Internal Server Error", ".spec.x: field not declared in schema"), Refused, 500, None),
        (status("429 Too Many Requests", "slow down", "Retry-After: 7"), ClusterError, 429, 7.0),
        (status("429 Too Many Requests", "slow down"), ClusterError, 429, None),
        (
            status("503 Service Unavailable", "x", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"),
            ClusterError,
            503,
            None,
        ),
        (status("429 Too Many Requests", "x", "Retry-After: -1"), ClusterError, 429, None),
        (status("429 Too Many Requests", "x", "Retry-After: 99999999"), ClusterError, 429, None),
        (status("500 Internal Server Error", "etcd is away"), ClusterError, 500, None),
        (status("401 Unauthorized", "who are you?"), ClusterError, 401, None),
    ],
    ids=count(),
)
async def test_what_the_server_answers_decides_about_another_try(
    behavior: Behavior, kind: type[ClusterError], code: int, wait: float | None, serve: Serve, tmp_path: Path
) -> None:
    """Refused is for people, the rest is tried again; a Retry-After that can't be read is none."""
    async with connected(await serve(behavior), tmp_path) as (cluster, _):
        with pytest.raises(ClusterError) as caught:
            await cluster.apply(names.SCAN_SERVICE, SERVICE, None)
    assert (kind, code, wait) == (type(caught.value), caught.value.status, caught.value.retry_after)


async def test_the_servers_own_words_are_passed_on(serve: Serve, tmp_path: Path) -> None:
    """They stand in a condition afterwards."""
    behavior = status("422 Unprocessable Entity", 'Deployment "x" is invalid: spec.replicas')
    async with connected(await serve(behavior), tmp_path) as (cluster, _):
        with pytest.raises(Refused, match=r'422 Deployment "x" is invalid: spec\.replicas$'):
            await cluster.apply(names.DEPLOYMENT, SERVICE, SERVICE)


@pytest.mark.parametrize("call", ["get", "apply_status", "delete", "annotate"])
async def test_what_has_gone_is_no_error(call: str, serve: Serve, tmp_path: Path) -> None:
    """Between two looks an object may be deleted at any time."""
    async with connected(await serve(status("404 Not Found", "gone")), tmp_path) as (cluster, _):
        assert not await CALLS[call](cluster)


RESOURCES = [{"name": kind.plural, "verbs": ["get", "watch"]} for kind in names.CUSTOM_KINDS]


@pytest.mark.parametrize(
    ("groups", "resources", "wanted"),
    [
        ([names.GROUP], RESOURCES, True),
        ([names.GROUP], RESOURCES[:2], False),
        ([names.GROUP], [{"name": kind.plural, "verbs": ["get"]} for kind in names.CUSTOM_KINDS], False),
        (["apps"], RESOURCES, False),
        ([], [], False),
    ],
)
async def test_kinds_are_served_when_all_of_them_can_be_watched(
    groups: list[str], resources: list[Any], serve: Serve, tmp_path: Path, *, wanted: bool
) -> None:
    """The API server takes up definitions one by one, and kopf asks but once."""
    body = json.dumps({"groups": [{"name": group} for group in groups], "resources": resources}).encode()
    async with connected(await serve(answering("200 OK", body)), tmp_path) as (cluster, _):
        assert wanted == await cluster.serves(*names.CUSTOM_KINDS)


async def test_writes_are_counted_and_reads_are_not(serve: Serve, tmp_path: Path) -> None:
    """By verb and kind: a fleet at rest shows none."""
    async with connected(await serve(answering("200 OK", json.dumps(SERVICE).encode())), tmp_path) as (
        cluster,
        registry,
    ):
        await cluster.apply(names.DEPLOYMENT, SERVICE, SERVICE)
        await cluster.get(names.DEPLOYMENT, "team-a", "front")

    def writes(verb: str) -> float | None:
        labels = {"verb": verb, "kind": "Deployment"}
        return registry.get_sample_value("typosentinel_operator_writes_total", labels)

    assert (writes("apply"), writes("get")) == (1, None)


@pytest.mark.parametrize("call", CALLS)
async def test_who_does_not_lead_reads_and_claims_and_writes_nothing(call: str, serve: Serve, tmp_path: Path) -> None:
    """Not a byte of a write leaves the process when its time is over."""
    asked = []

    async def behave(writer: asyncio.StreamWriter) -> None:
        asked.append(call)
        await answering("200 OK", b'{"metadata": {}, "items": []}')(writer)

    async with connected(await serve(behave), tmp_path, lambda: 0.0) as (cluster, _):
        if call in READS | {"claim", "whoami"}:
            await CALLS[call](cluster)
        else:
            with pytest.raises(ClusterError, match="another operator may lead by now"):
                await CALLS[call](cluster)
    assert bool(asked) == (call in READS | {"claim", "whoami"})


async def test_a_write_that_is_under_way_ends_with_our_time(serve: Serve, tmp_path: Path) -> None:
    """It might arrive after the next leader's; a read does no harm."""
    async with connected(await serve(hanging), tmp_path, lambda: 0.05) as (cluster, _):
        with pytest.raises(ClusterError, match=r"no answer within 0\.05 s"):
            await CALLS["apply"](cluster)
        with pytest.raises(ClusterError, match=rf"no answer within {TIMEOUT:g} s"):
            await CALLS["get"](cluster)


async def test_a_lease_has_a_deadline_of_its_own(serve: Serve, tmp_path: Path) -> None:
    """The usual one may be longer than leadership lasts."""
    async with connected(await serve(hanging), tmp_path) as (cluster, registry):
        with pytest.raises(ClusterError, match=r"no answer within 0\.05 s"):
            await cluster.claim(SERVICE, seconds=0.05)
        with pytest.raises(ClusterError, match=r"no answer within 0\.05 s"):
            await cluster.get(names.LEASE, "team-a", "x", seconds=0.05)
    assert registry.get_sample_value("typosentinel_operator_writes_total", {"verb": "claim", "kind": "Lease"}) is None


async def test_a_list_is_read_page_by_page(serve: Serve, tmp_path: Path) -> None:
    """Each item with the kind that lists leave out, each page with the version in which all of that was so."""
    pages = [
        {"metadata": {"continue": "more", "resourceVersion": "7"}, "items": [{"metadata": {"name": "a"}}]},
        {"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "b"}}]},
    ]

    async def behave(writer: asyncio.StreamWriter) -> None:
        await answering("200 OK", json.dumps(pages.pop(0)).encode())(writer)

    async with connected(await serve(behave), tmp_path) as (cluster, _):
        found = [page async for page in cluster.pages(names.DEPLOYMENT, "team-a", selector="a=b")]
    wanted = [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}} for name in ("a", "b")]
    assert [(page.items, page.version) for page in found] == [([one], "7") for one in wanted]


async def test_a_list_whose_next_page_is_gone_is_no_list(serve: Serve, tmp_path: Path) -> None:
    """The version has been compacted away: who has read half of it begins anew."""
    page = {"metadata": {"continue": "more", "resourceVersion": "7"}, "items": [{"metadata": {"name": "a"}}]}
    answers = [answering("200 OK", json.dumps(page).encode()), status("410 Gone", "too old")]

    async def behave(writer: asyncio.StreamWriter) -> None:
        await answers.pop(0)(writer)

    async with connected(await serve(behave), tmp_path) as (cluster, _):
        with pytest.raises(ClusterError, match="410 too old"):
            await cluster.list(names.DEPLOYMENT, "team-a")


def secured(cluster: str = "", user: str = "") -> str:
    """A kubeconfig for HTTPS, with more fields of its cluster and of its user."""
    text = kubeconfig(1).replace("http:", "https:").replace('"user": {}', f'"user": {{{user}}}')
    return text.replace('"server"', f'{cluster}, "server"' if cluster else '"server"')


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not: [yaml",
        "just words",
        "[]",
        "{}",
        kubeconfig(1).replace('"current-context": "x"', '"current-context": "y"'),
        kubeconfig(1).replace('"cluster": "c"', '"cluster": "d"'),
        secured(user='"client-certificate-data": "%%%", "client-key-data": "%"'),
        secured(user='"client-certificate": "/nowhere", "client-key": "/nowhere"'),
        secured('"certificate-authority": "/nowhere"'),
        secured('"certificate-authority-data": "bm90IGEgY2VydA=="'),
    ],
    ids=count(),
)
async def test_a_kubeconfig_that_is_no_use_is_permanent(content: str, tmp_path: Path) -> None:
    """One sentence for the command line, whatever the library raises."""
    path = tmp_path / "kubeconfig"
    path.write_text(content)
    with pytest.raises(Permanent, match="no usable kubeconfig") as caught:
        await Cluster.connect(make_telemetry(CollectorRegistry()), TIMEOUT, "test", str(path))
    assert "\n" not in str(caught.value)


async def test_no_kubeconfig_at_all_is_permanent(tmp_path: Path) -> None:
    """Outside a cluster somebody has to say where it is."""
    with pytest.raises(Permanent, match="no usable kubeconfig"):
        await Cluster.connect(make_telemetry(CollectorRegistry()), TIMEOUT, "test", str(tmp_path / "none"))


OFFERS: dict[str, tuple[Behavior, object, bool | None]] = {
    # sentence → (answer, whether an offer is taken, whether the name is taken)
    "the name is free": (
        answering("201 Created", b'{"kind": "Secret"}', "Content-Type: application/json"),
        True,
        False,
    ),
    "the name is taken": (status("409 Conflict", 'secrets "redis" already exists'), False, True),
    "a quota is used up": (status("403 Forbidden", "exceeded quota"), Refused, None),
    "a webhook knows no dry run": (status("400 Bad Request", "does not support dry run"), Refused, None),
}


@pytest.mark.parametrize("sentence", OFFERS)
async def test_a_name_that_is_taken_is_no_error(sentence: str, serve: Serve, tmp_path: Path) -> None:
    """Offers and questions after a name need no right to read."""
    answer, offered, taken = OFFERS[sentence]
    async with connected(await serve(answer), tmp_path) as (cluster, registry):
        assert await cluster.taken(names.SECRET, "team-a", "redis") is taken
        if offered is Refused:
            with pytest.raises(Refused):
                await cluster.offer(names.SECRET, SERVICE)
        else:
            assert (await cluster.offer(names.SECRET, SERVICE) is not None) == offered
        labels = {"verb": "create", "kind": "Secret"}
        wanted = 1.0 if offered is True else None
        assert registry.get_sample_value("typosentinel_operator_writes_total", labels) == wanted


async def test_a_change_that_an_answer_shows_first_is_still_news(serve: Serve, tmp_path: Path) -> None:
    """Somebody changed the spec while we made up the status: its event comes after our own write."""
    changed = factories.stored(factories.scan_service(replicas=5), resourceVersion="9", generation=2)
    answer = answering("200 OK", json.dumps(changed).encode(), "Content-Type: application/json")
    async with connected(await serve(answer), tmp_path) as (cluster, _):
        cluster.mirror.see(names.SCAN_SERVICE, SERVICE)
        assert await cluster.apply_status(names.SCAN_SERVICE, SERVICE, {}) == changed
        assert cluster.mirror.see(names.SCAN_SERVICE, changed) is not None


OPEN: dict[str, tuple[Behavior, str, bool]] = {
    # sentence → (answer, call, whether it may be carried out yet)
    "a write without answer": (hanging, "apply", True),
    "a removal without answer": (hanging, "delete", True),
    "half an answer": (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), "apply_status", True),
    "a refused write": (status("422 Unprocessable Entity", "no"), "apply", False),
    "a read": (hanging, "get", False),
    "a trial": (hanging, "try_out", False),
    "an Event": (hanging, "create", False),
    "the Lease, which has fences of its own": (hanging, "claim", False),
}


@pytest.mark.parametrize("sentence", OPEN)
async def test_a_write_that_was_never_answered_is_remembered(serve: Serve, tmp_path: Path, sentence: str) -> None:
    """For a while: whoever leads next has to wait for it."""
    behavior, call, left_open = OPEN[sentence]
    async with connected(await serve(behavior), tmp_path) as (cluster, _):
        assert not cluster.unsettled(5.0)
        with pytest.raises(ClusterError):
            await CALLS[call](cluster)
        assert cluster.unsettled(5.0) is left_open
        assert not cluster.unsettled(0.0)


async def test_a_write_that_was_cut_off_is_remembered_and_one_never_sent_is_not(
    serve: Serve, tmp_path: Path, free_port: int
) -> None:
    """Nothing reaches a server that takes no connection."""
    async with connected(free_port, tmp_path) as (cluster, _):
        with pytest.raises(ClusterError):
            await CALLS["apply"](cluster)
        assert not cluster.unsettled(5.0)
    async with connected(await serve(hanging), tmp_path) as (cluster, _):
        writing = asyncio.ensure_future(CALLS["apply"](cluster))
        await asyncio.sleep(0.05)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        assert cluster.unsettled(5.0)
