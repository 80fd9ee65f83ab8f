"""The documents say what the routes do: every route, and nothing else."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from aiohttp import web

from adminparts import Limits, Pool, Shelf
from running import Start, StillClock
from typosentinel_server import routes
from typosentinel_server.administration import cacheviews, views
from typosentinel_server.administration.operations import HEAD as ADMIN_HEAD
from typosentinel_server.administration.operations import operations as admin_operations
from typosentinel_server.adminports.ports import Ports
from typosentinel_server.published import openapi, operations
from typosentinel_server.published.openapi import HEADERS, Operation
from typosentinel_server.published.pages import ASSET_PATH, Documentation

PUBLIC = json.loads(routes.DOCUMENT)
EVERYTHING = Ports(cache=Shelf(), writer=Shelf(), workers=Pool(), limits=Limits(), breakers=list)
SOME = (Ports(), Ports(cache=Shelf()), Ports(workers=Pool()), Ports(breakers=list), Ports(limits=Limits()), EVERYTHING)


def described(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Methods and paths of a document."""
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item}


def served(table: Iterable[web.RouteDef]) -> set[tuple[str, str]]:
    """Methods and paths of routes; what pages are made of is not worth describing."""
    return {(route.method, route.path) for route in table if not route.path.endswith(ASSET_PATH)}


def references(node: Any) -> Iterator[str]:
    """Everything that a document refers to."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def document_of(ports: Ports) -> dict[str, Any]:
    """The administrative document of a server with these parts."""
    found: dict[str, Any] = json.loads(openapi.document(ADMIN_HEAD, admin_operations(ports)))
    return found


DOCUMENTS = [PUBLIC, document_of(EVERYTHING)]


def test_every_public_route_is_described_and_the_other_way_round() -> None:
    """A route that nobody knows of is as bad as one that is not there."""
    assert described(PUBLIC) == served(routes.ROUTES)


@pytest.mark.parametrize("ports", SOME)
def test_every_administrative_route_is_described_and_the_other_way_round(ports: Ports) -> None:
    """Whatever parts a server has."""
    table = (*views.routes(ports), *cacheviews.routes(ports), *Documentation(b"").routes(("",)))
    assert described(document_of(ports)) == served(table)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_everything_referred_to_is_there(document: dict[str, Any]) -> None:
    """Nothing leads nowhere."""
    found = set(references(document))
    assert len(found) > 20
    for reference in found:
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_schema_is_one(document: dict[str, Any]) -> None:
    """By the dialect that OpenAPI 3.1 takes."""
    assert document["openapi"] == "3.1.0"
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_operations_have_names_of_their_own_and_tags_that_are_described(document: dict[str, Any]) -> None:
    """Programs are made from these."""
    found = [operation for item in document["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in found]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in document["tags"]}
    assert {tag for operation in found for tag in operation["tags"]} <= tags


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_example_is_of_its_schema(document: dict[str, Any]) -> None:
    """People start from examples."""
    seen = 0
    for item in document["paths"].values():
        for operation in item.values():
            # Other forms of a body than JSON have no schema that could be looked at.
            for media in [operation["requestBody"]["content"][openapi.JSON]] if "requestBody" in operation else []:
                schema = {**media["schema"], "components": document["components"]}
                assert media["examples"]
                for example in media["examples"].values():
                    jsonschema.validate(example["value"], schema, cls=jsonschema.Draft202012Validator)
                    seen += 1
    assert seen >= 4


@pytest.mark.parametrize("operation", [*operations.OPERATIONS, *admin_operations(EVERYTHING)])
def test_what_varies_in_a_path_is_described(operation: Operation) -> None:
    """Name by name."""
    assert set(re.findall(r"{(\w+)}", operation.path)) == set(operation.parameters)
    assert {name for answer in operation.answers.values() for name in answer.headers} <= set(HEADERS)


def test_administration_wants_a_token_everywhere_but_on_its_page() -> None:
    """And the public document wants nothing."""
    document = document_of(EVERYTHING)
    assert document["security"] == [{"Token": []}]
    free = {path for path, item in document["paths"].items() for o in item.values() if o.get("security") == []}
    assert free == {"/docs", "/openapi.json"}
    assert {} in PUBLIC["security"]


def test_a_body_may_have_further_forms() -> None:
    """Lines for a batch, for one."""
    scan = replace(operations.SCAN[0], other_bodies=("application/x-ndjson",))
    body = json.loads(openapi.document(ADMIN_HEAD, (scan,)))["paths"][scan.path]["post"]["requestBody"]
    assert set(body["content"]) == {"application/json", "application/x-ndjson"}


async def test_the_document_is_served_as_it_is(start: Start) -> None:
    """Under both names."""
    server = await start()
    for path in ("/openapi.json", "/api/openapi.json"):
        async with server.http.get(path) as answer:
            assert (answer.status, answer.content_type) == (200, "application/json")
            assert await answer.read() == routes.DOCUMENT


def test_versions_and_titles_are_given() -> None:
    """By the head."""
    head = replace(ADMIN_HEAD, version="9.9")
    assert json.loads(openapi.document(head, ()))["info"]["version"] == "9.9"
    assert PUBLIC["info"]["title"] == "Typosentinel"


async def test_real_answers_are_of_their_schema(start: Start, still: StillClock) -> None:
    """What the models say of methods, benchmarks and metrics is what the views give out."""
    del still
    server = await start()
    body = {"rows": [{"ecosystem": "PyPI", "name": "reqeusts", "target": "requests", "label": 1}, {"name": "x"}]}
    body["rows"][1] |= {"ecosystem": "nowhere", "label": 0.0}  # type: ignore[operator]
    async with server.http.post("/api/v1/benchmark", json=body) as answer:
        assert answer.status == 202
        place = answer.headers["Location"]
    found: dict[str, Any] = {"state": "queued"}
    while found["state"] in {"queued", "running"}:
        async with server.http.get(place) as answer:
            found = await answer.json()
    assert found["state"] == "done"
    answers = {"/api/v1/benchmark/{id}": found}
    for path in ("/api/v1/methods", "/health", "/ready", "/live", "/stats", "/status", "/metrics"):
        async with server.http.get(path, headers={"Accept": "application/json"}) as answer:
            answers[path] = await answer.json()
    async with server.http.get("/api/v1/methods/transposition") as answer:
        answers["/api/v1/methods/{name}"] = await answer.json()
    for path, content in answers.items():
        (schema,) = [
            form["schema"]
            for kind, form in PUBLIC["paths"][path]["get"]["responses"]["200"]["content"].items()
            if kind == "application/json"
        ]
        whole = {**schema, "components": PUBLIC["components"]}
        jsonschema.validate(content, whole, cls=jsonschema.Draft202012Validator)
