"""npm's document of a package, and its counts of downloads."""

from typosentinel_server.providers.asking import Subject, same
from typosentinel_server.providers.gleaned import Failure, Gleaned, State, broken
from typosentinel_server.providers.picking import accounts, count, day, document, items, link, mapping, text


def packument(body: bytes, asked: Subject) -> Gleaned:
    """First release, maintainers and repository; what was unpublished is not there."""
    content = mapping(document(body), "the answer")
    if not same(asked, text(content.get("name"), "name")):
        raise broken("it is about another package")
    times = mapping(content.get("time") or {}, "time")
    if times.get("unpublished") is not None:
        raise Failure(State.ABSENT, "it was unpublished")
    people = [mapping(one, "a maintainer").get("name") for one in items(content.get("maintainers"), "maintainers")]
    where = content.get("repository")
    return Gleaned(
        first_release=day(times.get("created"), "time.created"),
        maintainers=accounts(people, "maintainers"),
        repository=link(where.get("url") if isinstance(where, dict) else where),
    )


def downloads(body: bytes, asked: Subject) -> Gleaned:
    """Downloads in the period that the address names, which should be the last month."""
    content = mapping(document(body), "the answer")
    if not same(asked, text(content.get("package"), "package")):
        raise broken("it is about another package")
    return Gleaned(downloads=count(content.get("downloads"), "downloads"))
