"""The table of methods: complete, true, and the same wherever one asks."""

import json
from dataclasses import replace
from functools import cache

import pytest

from commanding import Run
from running import Start
from typosentinel_server.engines import Library, build_engines
from typosentinel_server.reports.methods import as_dict, page
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.methods import METHODS, Method
from typosentinel_server.scan.model import Ecosystem, Package, Technique, Verdict


@cache
def engine(ecosystem: Ecosystem) -> Engine:
    """The engine over a built-in list."""
    return build_engines(Library(), (ecosystem,)).engine(ecosystem)


def test_every_technique_has_its_method() -> None:
    """Exactly one row each."""
    assert sorted(method.technique for method in METHODS) == sorted(Technique)


# Reading and indexing a whole list takes a while on a busy machine.
@pytest.mark.timeout(20)
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_example_is_found_by_its_method(method: Method) -> None:
    """Whoever tries an example on the built-in lists gets what the table promises, or is told what it needs."""
    found = engine(method.ecosystem).scan(Package(method.ecosystem, method.attack))
    if method.needs:
        assert method.technique not in {f.technique for f in found.findings}
        return

    assert found.verdict is not Verdict.CLEAN
    assert method.technique in {f.technique for f in found.findings if f.target == method.target}
    assert found.targets[0] == method.target


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_texts_are_whole(method: Method) -> None:
    """They are set into tables and sentences, which give them their full stops or expect them."""
    assert method.title[0].isupper()
    assert method.catches[0].islower()
    assert "at most" in method.cost
    assert method.limits.endswith(".")
    assert not any(text.endswith(".") for text in (method.title, method.catches, method.cost))


def test_command_line_lists_all_and_tells_one_in_full(run: Run) -> None:
    """A table to look over, a page to read."""
    lines = run("methods").stdout.splitlines()
    page = run("methods", "bit-flip").stdout

    assert [line.split()[0] for line in lines] == ["METHOD", *(method.name for method in METHODS)]
    assert page.startswith("bit-flip: a bit turned over\n  catches  one bit")
    assert "  example  botocorg for botocore (PyPI)\n  cost " in page
    assert max(len(line) for line in page.splitlines()) <= 88


def test_what_a_method_needs_is_told(run: Run) -> None:
    """In full and to programs; of a method that needs nothing, nothing is said."""
    needy = replace(METHODS[0], needs="a list of your own namespaces")

    assert page(needy).endswith("\n  needs    a list of your own namespaces")
    assert (as_dict(needy)["needs"], as_dict(METHODS[0])["needs"]) == ("a list of your own namespaces", None)
    assert "needs" not in run("methods", METHODS[0].name).stdout


async def test_command_line_and_api_tell_the_same(start: Start, run: Run) -> None:
    """One form of JSON for both."""
    server = await start()
    async with server.http.get("/api/v1/methods") as response:
        listed = (await response.json())["methods"]
    async with server.http.get("/api/v1/methods/delimiter") as response:
        one = await response.json()

    assert listed == json.loads(run("methods", "--format", "json").stdout)
    assert one == json.loads(run("methods", "delimiter", "--format", "json").stdout)
    assert one in listed
    assert one["example"] == {"ecosystem": "npm", "name": "crossenv", "target": "cross-env"}
    assert set(one) == {"name", "title", "catches", "example", "cost", "limits", "needs"}


async def test_unknown_method_is_answered_with_those_that_there_are(start: Start, run: Run) -> None:
    """On both ways: not found, the closest one, and all of them."""
    server = await start()
    async with server.http.get("/api/v1/methods/bitflip") as response:
        error = (await response.json())["error"]
    result = run("methods", "bitflip")

    assert (response.status, error["code"]) == (404, "UNKNOWN_METHOD")
    assert error["suggestion"].startswith("Did you mean bit-flip? There are transposition, ")
    assert (result.exit_code, result.stdout) == (2, "")
    assert 'there is no method "bitflip"' in result.stderr
    assert error["suggestion"] in result.stderr
