"""All public routes, and the document about them."""

from dataclasses import replace
from typing import Final

from typosentinel_server import __version__, openapi, statusviews, views
from typosentinel_server.operations import HEAD, OPERATIONS
from typosentinel_server.pages import Documentation

# Made once: tests compare it with the routes, so it can say no more and no less than there is.
DOCUMENT: Final = openapi.document(replace(HEAD, version=__version__), OPERATIONS)
ROUTES: Final = (
    *views.ROUTES,
    *statusviews.ROUTES,
    *Documentation(DOCUMENT).routes(("", "/api")),
)
