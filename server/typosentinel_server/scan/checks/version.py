"""A version written into the name: `colors-2.2.0`, `mitmproxy2`. Bound: three probes."""

from collections.abc import Iterator

from typosentinel_server.scan import forms
from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query

SHORTEST = 3


def check(query: Query) -> Iterator[Match]:
    """Popular names that the query repeats with a number or a version at the end, or whose number it drops."""
    seen = set()
    for core in (forms.flat(forms.unversioned(query.text)), forms.undigited(query.flat)):
        if len(core) >= SHORTEST and core not in seen:
            seen.add(core)
            for target in query.index.same_letters(core):
                yield Match(Technique.VERSION, target, "a version is written behind {target}", {"version_added": 1.0})
