"""The document of the API and the page that shows it. Everything is in the package: no address but ours is asked."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Final

from aiohttp import web

from typosentinel_server.answer import Answer
from typosentinel_server.errors import DomainError

# Scripts and styles from here alone, nothing inline, in nobody's frame.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
KINDS: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ASSETS: Final = ("docs.css", "docs.js", "page.css", "icon.svg")
# Where what belongs to a page is found, as seen from the page.
ASSET_PATH: Final = "/docs/assets/{file}"


def page_answer(text: str) -> Answer:
    """An answer that is a page."""
    return _guarded(Answer(text.encode(), content_type="text/html; charset=utf-8"))


class Documentation:
    """The views of one document.

    Args:
        document: OpenAPI, as JSON.
    """

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._page = _asset("docs.html").decode()
        self._assets: Mapping[str, bytes] = {name: _asset(name) for name in ASSETS}

    async def document(self, _request: web.Request) -> web.StreamResponse:
        """`GET /openapi.json`: the document."""
        return Answer(self._document)

    async def page(self, _request: web.Request) -> web.StreamResponse:
        """`GET /docs`: the page."""
        return page_answer(self._page)

    async def asset(self, request: web.Request) -> web.StreamResponse:
        """`GET /docs/assets/{file}`: what the page is made of."""
        name = request.match_info["file"]
        if name not in self._assets:
            raise DomainError("NOT_FOUND", "there is nothing at this path", "See /docs.", http_hint=404)
        kind = KINDS[name[name.rindex(".") :]]
        response = _guarded(Answer(self._assets[name], content_type=f"{kind}; charset=utf-8"))
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    def routes(self, prefixes: Sequence[str]) -> tuple[web.RouteDef, ...]:
        """The routes, under each prefix."""
        return tuple(
            route
            for prefix in prefixes
            for route in (
                web.get(f"{prefix}/openapi.json", self.document),
                web.get(f"{prefix}/docs", self.page),
                web.get(f"{prefix}{ASSET_PATH}", self.asset),
            )
        )


def _asset(name: str) -> bytes:
    return files("typosentinel_server.published").joinpath("assets", name).read_bytes()


def _guarded(response: Answer) -> Answer:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
