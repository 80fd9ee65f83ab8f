"""What a Go module proxy says: a list of versions, and the time of one."""

import re
from typing import Final

from typosentinel_server.providers.asking import Subject
from typosentinel_server.providers.gleaned import Gleaned, broken
from typosentinel_server.providers.picking import day, document, mapping, text

VERSION: Final = re.compile(
    r"v([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})(-[0-9A-Za-z.-]{1,100})?(\+[0-9A-Za-z.-]{1,100})?"
)


def first_version(body: bytes) -> str | None:
    """The lowest version of a list with one a line; None where there is none.

    Raises:
        Failure: a line is no version.
    """
    try:
        lines = body.decode("ascii").split()
    except UnicodeDecodeError as error:
        raise broken("the list of versions is not ASCII") from error
    versions = []
    for line in lines:
        found = VERSION.fullmatch(line)
        if found is None:
            raise broken("the list of versions has a line that is none")
        # A pre-release comes before its release; among pre-releases the order of letters will do.
        versions.append(((int(found[1]), int(found[2]), int(found[3]), not found[4], found[4] or ""), line))
    return min(versions)[1] if versions else None


def info(body: bytes, _asked: Subject) -> Gleaned:
    """When a version was made, by its commit's word: Go has no other date."""
    content = mapping(document(body), "the answer")
    text(content.get("Version"), "Version")
    return Gleaned(first_release=day(content.get("Time"), "Time"))
