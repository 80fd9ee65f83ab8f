"""Scans of a server that asks providers: what changes, what does not, and what is never asked."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

import listfiles
from origin import Origin, http, says, stalls
from running import Running, Start, ask, samples
from typosentinel_server.breaker import State
from typosentinel_server.schemas import ScanResponse

OLD = {
    "info": {"name": "reqeusts", "project_urls": {"Source": "https://github.com/other/thing"}},
    "releases": {"1.0": [{"upload_time_iso_8601": "2012-01-01T00:00:00Z"}]},
}
TARGET = {
    "info": {"name": "requests"},
    "releases": {"1.0": [{"upload_time_iso_8601": "2011-02-14T00:00:00Z"}]},
}
MALWARE = {"package": {"ecosystem": "PyPI", "name": "reqeusts"}, "versions": ["1.0"]}
SLIP = {"ecosystem": "PyPI", "name": "reqeusts"}


def page(content: Any) -> Any:
    """A good answer."""
    return says(http("200 OK", content if isinstance(content, bytes) else orjson.dumps(content)))


def document(origin: Origin, *, osv: bool = False, more: str = "") -> str:
    """A configuration with PyPI's JSON and its downloads, and perhaps a source of vulnerabilities."""
    known = f'  vulnerabilities: {{url: "{origin.url("/v1/query")}"}}\n' if osv else ""
    return f"""{listfiles.HEAD}{more}providers:
  timeout: 2s
  allowPrivate: [127.0.0.1/32]
  registries:
    - {{ecosystem: PyPI, url: "{origin.url("/pypi/{name}/json")}"}}
    - {{ecosystem: PyPI, shape: PyPIStats, url: "{origin.url("/stats/{name}/recent")}"}}
{known}"""


def downloads(origin: Origin, **counts: int) -> None:
    """Publishes downloads of some packages."""
    for name, count in counts.items():
        origin.answers[f"/stats/{name}/recent"] = page({"package": name, "data": {"last_month": count}})


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where a configuration will stand."""
    return listfiles.written(tmp_path) / "config.yaml"


def written(path: Path, content: str) -> Path:
    """A file with this content."""
    path.write_text(content, encoding="utf-8")
    return path


def states(answer: dict[str, Any]) -> dict[tuple[str, str], str]:
    """What became of each question, by provider and package."""
    return {(piece["provider"], piece["package"]): piece["state"] for piece in answer["evidence"]}


async def test_evidence_decides(start: Start, origin: Origin, config: Path) -> None:
    """A slip that is old and much used is another project; one of yesterday is not."""
    origin.answers["/pypi/reqeusts/json"] = page(OLD)
    origin.answers["/pypi/requests/json"] = page(TARGET)
    downloads(origin, reqeusts=2_000_000, requests=5_000_000)
    written(config, document(origin))
    server = await start(config)
    answer = await ask(server, **SLIP)

    assert answer["verdict"] == "clean"
    assert states(answer) == {
        ("PyPI", "reqeusts"): "used",
        ("PyPIStats", "reqeusts"): "used",
        ("PyPI", "requests"): "used",
        ("PyPIStats", "requests"): "used",
    }
    reasons = [c["reason"] for finding in answer["findings"] for c in finding["contributions"]]
    assert "2000000 downloads a month" in reasons
    assert "used at least a tenth as often as its target" in reasons
    assert answer["evidence"][0] == {
        "provider": "PyPI",
        "package": "reqeusts",
        "state": "used",
        "ageSeconds": 0.0,
        "stale": False,
        "vulnerabilities": [],
    }

    again = await ask(server, **SLIP)
    assert (again["verdict"], again["cached"]) == ("clean", True)
    assert len(origin.asked) == 4


async def test_an_answer_is_what_the_schema_says(start: Start, origin: Origin, config: Path) -> None:
    """Byte for byte, with evidence, without, and where nobody was asked."""
    origin.answers["/pypi/reqeusts/json"] = page(OLD)
    origin.answers["/v1/query"] = page({"vulns": [{"id": "CVE-2024-1", "affected": [MALWARE]}]})
    server = await start(written(config, document(origin, osv=True)))
    for name in ("reqeusts", "requests"):
        async with server.http.post("/api/v1/scan", json={"ecosystem": "PyPI", "name": name}) as response:
            body = await response.text()
        assert ScanResponse.model_validate_json(body).model_dump_json(by_alias=True) == body


async def test_every_asker_has_his_own_question(start: Start, origin: Origin, config: Path) -> None:
    """A judgement from the cache is another's, whose spelling and version do not matter here."""
    origin.answers["/v1/query"] = page({"vulns": [{"id": "MAL-2024-1", "affected": [MALWARE]}]})
    server = await start(written(config, document(origin, osv=True)))
    asked = [("Reqeusts", "2.0"), ("reqeusts", "1.0"), ("REQEUSTS", None)]
    answers = [await ask(server, ecosystem="PyPI", name=name, version=version) for name, version in asked]
    assert [answer["verdict"] for answer in answers] == ["suspicious", "malicious", "suspicious"]
    assert [answer["name"] for answer in answers] == ["Reqeusts", "reqeusts", "REQEUSTS"]
    assert [answer["evidence"][0]["package"] for answer in answers] == ["Reqeusts", "reqeusts", "REQEUSTS"]
    assert len(origin.bodies) == 1


async def test_without_evidence_the_name_decides(start: Start, origin: Origin, config: Path) -> None:
    """Nobody knows the package, or nobody answers: the verdict is that of the name."""
    origin.answers["/pypi/reqeusts/json"] = says(b"no HTTP")
    written(config, document(origin))
    answer = await ask(await start(config), **SLIP)

    assert answer["verdict"] == "suspicious"
    assert states(answer) == {
        ("PyPI", "reqeusts"): "broken",
        ("PyPIStats", "reqeusts"): "absent",
        ("PyPI", "requests"): "absent",
        ("PyPIStats", "requests"): "absent",
    }
    assert answer["evidence"][0]["ageSeconds"] is None


async def test_a_provider_that_hangs_costs_its_own_evidence(start: Start, origin: Origin, config: Path) -> None:
    """And no scan."""
    origin.answers["/pypi/reqeusts/json"] = stalls()
    downloads(origin, reqeusts=2_000_000)
    written(config, document(origin).replace("2s", "1500ms"))
    answer = await ask(await start(config), **SLIP)

    assert states(answer)["PyPI", "reqeusts"] == "timeout"
    assert states(answer)["PyPIStats", "reqeusts"] == "used"
    assert any("2000000" in c["reason"] for f in answer["findings"] for c in f["contributions"])


async def test_a_burst_at_a_provider_that_hangs(start: Start, origin: Origin, config: Path) -> None:
    """Every scan is answered; as many questions go out as are allowed at once, and then its breaker is open."""
    names = [f"reque{letter}sts" for letter in "abcdefghijklmnopqrstuvwxyz"]
    for name in names:
        origin.answers[f"/pypi/{name}/json"] = stalls()
    text = document(origin).replace("2s", "500ms\n  maxConcurrency: 8")
    server = await start(written(config, text))
    answers = await asyncio.gather(*(ask(server, ecosystem="PyPI", name=name) for name in names))

    assert {answer["verdict"] for answer in answers} == {"suspicious"}
    became = [states(answer)["PyPI", answer["name"]] for answer in answers]
    assert set(became) == {"timeout", "unavailable"}
    hanging = [path for path, _ in origin.asked if path.startswith("/pypi/reque") and path != "/pypi/requests/json"]
    assert len(hanging) <= 8
    (registry, _) = server.parts.witness.breakers
    # A scan goes without evidence when its own time is over; a question that was sent later has some left.
    async with asyncio.timeout(3):
        while registry.state is not State.OPEN:  # noqa: ASYNC110 - it tells nobody of its turning
            await asyncio.sleep(0.01)
    assert (await ask(server, ecosystem="PyPI", name="flask"))["verdict"] == "clean"


async def test_clean_names_are_not_asked_about(start: Start, origin: Origin, config: Path) -> None:
    """Unless the configuration says always; the answer has the field all the same."""
    written(config, document(origin))
    server = await start(config)
    for name in ("requests", "some-unlikely-name"):
        answer = await ask(server, ecosystem="PyPI", name=name)
        assert (answer["verdict"], answer["evidence"]) == ("clean", [])
    assert origin.asked == []

    always = await start(
        written(config.parent / "always.yaml", document(origin).replace("  timeout", "  when: Always\n  timeout"))
    )
    answer = await ask(always, ecosystem="PyPI", name="some-unlikely-name")
    assert states(answer)["PyPI", "some-unlikely-name"] == "absent"


async def test_other_registries_are_not_asked(start: Start, origin: Origin, config: Path) -> None:
    """A provider is asked about its own ecosystem."""
    written(config, document(origin))
    answer = await ask(await start(config), ecosystem="npm", name="lodahs")
    assert (answer["verdict"], answer["evidence"]) == ("suspicious", [])
    assert origin.asked == []


async def test_without_providers_answers_are_as_before(start: Start) -> None:
    """The field is not there at all."""
    assert "evidence" not in await ask(await start(), **SLIP)


async def test_what_the_caller_tells_is_not_overruled(start: Start, origin: Origin, config: Path) -> None:
    """His fields win one by one, and providers fill the rest."""
    origin.answers["/pypi/reqeusts/json"] = page(OLD)
    downloads(origin, reqeusts=2_000_000)
    written(config, document(origin))
    answer = await ask(await start(config), **SLIP, metadata={"downloads": 3})
    reasons = " ".join(c["reason"] for finding in answer["findings"] for c in finding["contributions"])
    assert "3 downloads a month" in reasons
    assert "2000000 downloads" not in reasons
    assert "first released" in reasons


async def test_the_callers_target_is_asked_about(start: Start, origin: Origin, config: Path) -> None:
    """Where he names one, facts are gathered for that."""
    written(config, document(origin))
    answer = await ask(await start(config), **SLIP, metadata={"target": {"name": "urllib3"}})
    assert ("PyPI", "urllib3") in states(answer)
    assert ("PyPI", "requests") not in states(answer)


async def test_private_names_stay_in_the_house(start: Start, origin: Origin, config: Path) -> None:
    """Neither a private name nor one that another is near to is sent anywhere."""
    written(config, document(origin, osv=True, more="detection: {privateNames: private.yaml}\n"))
    server = await start(config)
    private = await ask(server, ecosystem="PyPI", name="acme-billing")
    assert (private["verdict"], private["evidence"]) == ("suspicious", [])
    near = await ask(server, ecosystem="PyPI", name="acme-biling", metadata={"target": {"name": "Acme.Billing"}})
    assert {package for _, package in states(near)} == {"acme-biling"}
    assert all("billing" not in path for path, _ in origin.asked)
    assert all(b"billing" not in body for body in origin.bodies)


@pytest.mark.parametrize(
    ("record", "version", "verdict", "technique"),
    [
        ({"id": "MAL-2024-1", "affected": [MALWARE]}, "1.0", "malicious", True),
        ({"id": "MAL-2024-1", "affected": [MALWARE]}, "2.0", "suspicious", True),
        ({"id": "MAL-2024-1", "affected": [MALWARE]}, None, "suspicious", True),
        ({"id": "CVE-2024-1", "affected": [MALWARE]}, "1.0", "suspicious", False),
    ],
)
async def test_known_malware_is_malicious_and_a_vulnerability_is_not(
    start: Start,
    origin: Origin,
    config: Path,
    record: dict[str, Any],
    version: str | None,
    verdict: str,
    *,
    technique: bool,
) -> None:
    """An advisory about malware counts as a list of malware does; others are told, and make nobody a squatter."""
    origin.answers["/v1/query"] = page({"vulns": [record]})
    written(config, document(origin, osv=True))
    answer = await ask(await start(config), **SLIP, version=version)
    assert answer["verdict"] == verdict
    assert ("known-malware" in {finding["technique"] for finding in answer["findings"]}) is technique
    told = {piece["provider"]: piece["vulnerabilities"] for piece in answer["evidence"]}
    assert told["vulnerabilities"] == [record["id"]]


async def test_an_allowed_name_stays_allowed(start: Start, origin: Origin, config: Path) -> None:
    """What somebody vouches for is clean, so nobody is asked."""
    written(config, document(origin, more="detection: {allowList: allow.yaml}\n"))
    answer = await ask(await start(config), **SLIP)
    assert (answer["verdict"], answer["evidence"]) == ("clean", [])
    assert origin.asked == []


async def test_providers_come_and_go_with_the_configuration(start: Start, origin: Origin, config: Path) -> None:
    """A reload takes them in and out; a wrong one leaves them as they are."""
    written(config, listfiles.HEAD)
    server = await start(config)
    assert "evidence" not in await ask(server, **SLIP)
    written(config, document(origin))
    await server.parts.reloader.look()
    assert len((await ask(server, **SLIP))["evidence"]) == 4
    written(config, document(origin).replace("{name}", "{nam}"))
    await server.parts.reloader.look()
    assert "providers.registries.0" in str(server.parts.reloader.last_error)
    assert len((await ask(server, **SLIP))["evidence"]) == 4
    written(config, listfiles.HEAD + "\n")
    await server.parts.reloader.look()
    assert "evidence" not in await ask(server, **SLIP)


async def value(server: Running, sample: str, /, **labels: str) -> float | None:
    """One sample."""
    return (await samples(server)).get((sample, frozenset(labels.items())))


async def test_what_is_counted(start: Start, origin: Origin, config: Path) -> None:
    """Questions by result, evidence by state, verdicts before and after, and the breakers."""
    origin.answers["/pypi/reqeusts/json"] = page(OLD)
    downloads(origin, reqeusts=2_000_000)
    written(config, document(origin))
    server = await start(config)
    for _ in range(3):
        await ask(server, **SLIP)

    counted = "typosentinel_provider_requests_total"
    assert await value(server, counted, provider="PyPI", result="used") == 1
    assert await value(server, counted, provider="PyPI", result="absent") == 1
    assert await value(server, counted, provider="PyPIStats", result="open") == 0
    assert await value(server, "typosentinel_provider_evidence_total", provider="PyPI", state="used") == 3
    assert await value(server, "typosentinel_provider_verdicts_total", before="suspicious", after="clean") == 3
    assert await value(server, "typosentinel_provider_request_duration_seconds_count", provider="PyPI") == 2
    assert await value(server, "typosentinel_provider_requests_in_flight", provider="PyPI") == 0
    state = "typosentinel_circuit_breaker_state"
    assert await value(server, state, name="provider-PyPI", state="closed") == 1
    assert await value(server, state, name="provider-PyPI", state="open") == 0
