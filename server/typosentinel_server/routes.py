"""All public routes, and the document about them."""

from dataclasses import replace
from typing import Final

from typosentinel_server import __version__, statusviews, views
from typosentinel_server.published import openapi
from typosentinel_server.published.operations import HEAD, OPERATIONS
from typosentinel_server.published.pages import Documentation

# Made once: tests compare it with the routes, so it can say no more and no less than there is.
DOCUMENT: Final = openapi.document(replace(HEAD, version=__version__), OPERATIONS)
ROUTES: Final = (
    *views.ROUTES,
    *statusviews.ROUTES,
    *Documentation(DOCUMENT).routes(("", "/api")),
)
