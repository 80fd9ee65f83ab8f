"""The views of benchmarks: take one in, tell how far it is."""

import asyncio
import json
from typing import Any

from aiohttp import web

from typosentinel_server.benchmarks import Run
from typosentinel_server.errors import DomainError, MethodUnknown
from typosentinel_server.jsonhttp import json_answer, json_body
from typosentinel_server.keys import SERVER
from typosentinel_server.labelled import Fault, Labelled, Row, labelled_row
from typosentinel_server.reports.benchmark import as_dict
from typosentinel_server.scan.methods import techniques_named
from typosentinel_server.scan.model import Technique
from typosentinel_server.schemas import BenchmarkRequest
from typosentinel_server.wirejson import parse_body

EXAMPLE = '{"rows": [{"ecosystem": "PyPI", "name": "reqeusts", "target": "requests", "label": 1}]}'


async def submit(request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/benchmark`: takes labelled names in; the header Location says where the result will be."""
    server = request.app[SERVER]
    if server.lifecycle.draining:
        raise DomainError("DRAINING", "this server is on its way out", "Send requests to another one.", http_hint=503)
    # Before the body is read, so that what is refused takes no memory.
    server.benchmarks.ensure_room()
    # Thousands of rows take a while to read, and scans are not to wait for it.
    labelled, methods = await asyncio.to_thread(_parsed, await json_body(request))
    run = server.benchmarks.submit(labelled, methods)
    answer = json_answer(json.dumps(_body(run)), status=202)
    answer.headers["Location"] = f"/api/v1/benchmark/{run.run_id}"
    return answer


async def state(request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/benchmark/{id}`: how far it is, and what was found out."""
    return json_answer(json.dumps(_body(request.app[SERVER].benchmarks.find(request.match_info["id"]))))


ROUTES = (
    web.post("/api/v1/benchmark", submit),
    web.get("/api/v1/benchmark/{id}", state),
)


def _parsed(content: bytes) -> tuple[Labelled, frozenset[Technique] | None]:
    asked = parse_body(BenchmarkRequest, content, EXAMPLE)
    try:
        methods = None if asked.methods is None else techniques_named(asked.methods)
    except MethodUnknown as error:
        # Here it is a part of the request that is wrong, not its address.
        raise MethodUnknown(error.code, error.message, error.suggestion, http_hint=422) from error
    found = [
        labelled_row(n, {**row.model_dump(exclude={"label"}), "label": str(row.label)})
        for n, row in enumerate(asked.rows, start=1)
    ]
    rows = tuple(row for row in found if isinstance(row, Row))
    return Labelled(rows, tuple(row for row in found if isinstance(row, Fault))), methods


def _body(run: Run) -> dict[str, Any]:
    return {
        "id": run.run_id,
        "state": run.state.value,
        "rows": run.rows,
        "done": run.done,
        "methods": None if run.methods is None else sorted(run.methods),
        "result": None if run.report is None else as_dict(run.report, run.faults),
    }
