"""What providers are asked: which names are sent, and with them nothing but what belongs there."""

from pathlib import Path

import orjson
import pytest

from origin import Origin
from strangers import LOOPBACK, Names, good, heard, registry, trap, witness
from typosentinel_server.clock import Clock
from typosentinel_server.providers.gleaned import State
from typosentinel_server.scan.model import Ecosystem


@pytest.mark.parametrize("name", ["..", "@scope/..", "../thing", "a%2e%2e", "a\r\nHost: b", "", "th\u0456ng"])
async def test_names_that_could_lead_elsewhere_are_not_sent(origin: Origin, real_clock: Clock, name: str) -> None:
    """Nothing leaves for a name that no registry holds."""
    async with witness(real_clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        (evidence,) = await heard(found, name)
    assert evidence.state is State.REFUSED
    assert origin.asked == []


async def test_a_scope_is_one_part_of_the_path_on_the_wire(origin: Origin, real_clock: Clock) -> None:
    """No part of the way makes a slash of %2F."""
    async with witness(real_clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
        await heard(found, "@scope/thing")
        await heard(found, "it's(thing)")
    assert [path for path, _ in origin.asked] == ["/@scope%2Fthing", "/it%27s%28thing%29"]


async def test_what_is_sent(origin: Origin, real_clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks, and nothing that was picked up elsewhere: no cookie, no proxy, no credentials of the machine's."""
    origin.answers["/one"] = good(Set_Cookie="session=1; Path=/")
    async with trap() as proxy:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        # Cookies of numbers are not kept by anybody, so the provider has a name here.
        section = {"registries": [registry(origin, "registry.example.org")], "allowPrivate": [LOOPBACK]}
        async with witness(real_clock, Names([["127.0.0.1"]]), **section) as found:
            await heard(found, "one")
            await heard(found, "two")
        assert proxy.connections == 0
    assert [path for path, _ in origin.asked] == ["/one", "/two"]
    for _, headers in origin.asked:
        assert headers["user-agent"].startswith("typosentinel/")
        assert not {"cookie", "authorization", "referer"} & headers.keys()


async def test_tokens(origin: Origin, tmp_path: Path, real_clock: Clock) -> None:
    """A token is read for each request, so that a new one counts at once; without a right one nothing is sent."""
    token = tmp_path / "token"
    section = {"registries": [registry(origin)], "allowPrivate": [LOOPBACK]}
    async with witness(real_clock, **section) as found:
        # The settings allow tokens over TLS alone.
        found._gatherer.providers[0]._peer._token_file = token
        states = []
        for n, content in enumerate(
            (None, b"first\n", b"second", b"two words", b"a\r\nB: c", b"\xff", b"", b"x" * 9000)
        ):
            if content is not None:
                token.write_bytes(content)
            states.append((await heard(found, f"thing{n}"))[0].state)
    sent = [headers["authorization"] for _, headers in origin.asked]
    assert sent == ["Bearer first", "Bearer second"]
    assert states == [State.UNAVAILABLE, State.ABSENT, State.ABSENT, *[State.UNAVAILABLE] * 5]


async def test_a_go_proxy_takes_two_questions(origin: Origin, real_clock: Clock) -> None:
    """The list of versions, then the time of the first."""
    origin.answers["/example.org/!thing/@v/list"] = good(b"v1.1.0\nv1.0.0\n")
    origin.answers["/example.org/!thing/@v/v1.0.0.info"] = good(
        b'{"Version": "v1.0.0", "Time": "2017-01-02T00:00:00Z"}'
    )
    section = {"registries": [{"ecosystem": "Go", "url": f"http://127.0.0.1:{origin.port}/{{name}}/@v/list"}]}
    async with witness(real_clock, allowPrivate=[LOOPBACK], **section) as found:
        (evidence,) = await heard(found, "example.org/Thing", Ecosystem.GO)
    assert evidence.gleaned.first_release is not None
    assert len(origin.asked) == 2


async def test_pages_of_vulnerabilities(origin: Origin, real_clock: Clock) -> None:
    """Pages are read to the end, but four at most."""
    affected = [{"package": {"ecosystem": "npm", "name": "thing"}}]
    page = {"vulns": [{"id": "CVE-2024-1", "affected": affected}], "next_page_token": "more"}
    origin.answers["/v1/query"] = good(orjson.dumps(page))
    section = {"vulnerabilities": {"url": f"http://127.0.0.1:{origin.port}/v1/query"}, "allowPrivate": [LOOPBACK]}
    async with witness(real_clock, **section) as found:
        (evidence,) = await heard(found)
    assert evidence.gleaned.vulnerabilities == ("CVE-2024-1",)
    bodies = [orjson.loads(body) for body in origin.bodies]
    assert bodies[0] == {"package": {"ecosystem": "npm", "name": "thing"}}
    assert [body.get("page_token") for body in bodies] == [None, "more", "more", "more"]
