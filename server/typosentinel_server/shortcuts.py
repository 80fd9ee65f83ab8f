"""The short way to routes whose path has no variables, as those have that most requests are for.

The library resolves a path, makes what it calls a match and lays its own layer around the handlers, at every request
anew; for a path that is always the same all of it can be done once.
"""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from typosentinel_server.middleware import Around, Handler

Answerer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Shortcuts:
    """Hands requests to their handlers, on the short way where there is one.

    Args:
        app: has the routes; none is added any more.
        around: what is done around each request.
        long_way: the library's own.
    """

    def __init__(self, app: web.Application, around: Around, long_way: Answerer) -> None:
        self._around = around
        self._long_way = long_way
        self._ways: dict[tuple[str, str], tuple[Handler, web.UrlMappingMatchInfo]] = {}
        for route in app.router.routes():
            if isinstance(route.resource, web.PlainResource):
                match = web.UrlMappingMatchInfo({}, route)
                match.add_app(app)
                match.freeze()
                self._ways[route.method, route.resource.canonical] = (route.handler, match)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request. Raises what the library raises before it calls a handler."""
        # The head as it was parsed: a path spelled in another way, or with a query, takes the long way.
        message = request._message  # noqa: SLF001 - the public properties parse and wrap it
        way = self._ways.get((message.method, message.path))
        if way is None or not isinstance(request, web.Request) or hdrs.EXPECT in message.headers:
            return await self._long_way(request)
        handler, request._match_info = way  # noqa: SLF001 - as the library's own dispatcher sets it
        return await self._around.handle(request, handler)
