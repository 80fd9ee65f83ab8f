"""Write the API's documents from the models that validate: `python -m hack.gen_openapi [--check]`."""

import sys
from dataclasses import replace

import orjson

from hack.generated import ROOT, write_or_check
from typosentinel_server import __version__, routes
from typosentinel_server.administration import operations as administrative
from typosentinel_server.published import openapi

FOLDER = ROOT / "docs" / "reference"


def documents() -> dict[str, bytes]:
    """Both documents by their files' names; the administrative one with all parts that a server may have."""
    head = replace(administrative.HEAD, version=__version__)
    return {
        "openapi.json": routes.DOCUMENT,
        "openapi-admin.json": openapi.document(head, administrative.ALL),
    }


def _readable(document: bytes) -> str:
    return orjson.dumps(orjson.loads(document), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, {FOLDER / name: _readable(text) for name, text in documents().items()}))
