"""A version written into the name: `colors-2.2.0`, `mitmproxy2`. Bound: two probes."""

from collections.abc import Iterator

from typosentinel_server.scan import forms
from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query

SHORTEST = 3


def check(query: Query) -> Iterator[Match]:
    """Popular names that the query repeats with a number or a version at the end, or whose number it drops."""
    for core in {forms.flat(forms.unversioned(query.text)): None, forms.undigited(query.flat): None}:
        if len(core) >= SHORTEST:
            number = query.index.lettered(core)
            if number is not None:
                target = query.index.target(number)
                yield Match(Technique.VERSION, target, "a version is written behind {target}", {"version_added": 1.0})
