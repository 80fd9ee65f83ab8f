"""Where the command line keeps compiled lists."""

import os
from pathlib import Path

from typosentinel_server.shelf import Shelf


def shelf() -> Shelf:
    """The shelf in the user's cache directory, by the XDG base directory specification."""
    place = os.environ.get("XDG_CACHE_HOME", "")
    return Shelf((Path(place) if place.startswith("/") else Path("~/.cache").expanduser()) / "typosentinel" / "lists")
