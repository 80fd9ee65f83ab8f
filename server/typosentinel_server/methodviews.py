"""The views of the methods of detection."""

import json

from aiohttp import web

from typosentinel_server.jsonhttp import json_answer
from typosentinel_server.reports import methods as report
from typosentinel_server.scan.methods import METHODS, method_named


async def methods(_request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/methods`: how confusions are found."""
    return json_answer(json.dumps({"methods": [report.as_dict(method) for method in METHODS]}))


async def method(request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/methods/{name}`: one of them; 404 names all that there are."""
    return json_answer(json.dumps(report.as_dict(method_named(request.match_info["name"]))))


ROUTES = (
    web.get("/api/v1/methods", methods),
    web.get("/api/v1/methods/{name}", method),
)
