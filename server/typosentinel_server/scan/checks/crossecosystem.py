"""The name of a popular package of another registry: `beautifulsoup4` in npm. Bound: one probe, made for the query."""

from collections.abc import Iterator

from typosentinel_server.scan.model import Technique
from typosentinel_server.scan.query import Match, Query, letters


def check(query: Query) -> Iterator[Match]:
    """The best ranked package of that name in another registry, where it is on no list of this one."""
    namesake = query.namesake
    if namesake is not None:
        rank = f" (rank {namesake.rank})" if namesake.rank else ""
        evidence = (
            f"{letters(namesake.name)} is a popular package of {namesake.ecosystem}{rank}, not of {query.ecosystem}"
        )
        yield Match(Technique.CROSS_ECOSYSTEM, namesake, evidence, {"namesake": 1.0})
