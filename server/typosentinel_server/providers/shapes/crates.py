"""crates.io's JSON of a crate, and of its owners."""

from typosentinel_server.providers.asking import Subject, same
from typosentinel_server.providers.gleaned import Gleaned, broken
from typosentinel_server.providers.picking import accounts, count, day, document, items, link, mapping, text

# What it calls recent downloads are those of ninety days.
MONTHS = 3


def crate(body: bytes, asked: Subject) -> Gleaned:
    """First release, downloads and repository."""
    content = mapping(mapping(document(body), "the answer").get("crate"), "crate")
    if not same(asked, text(content.get("name") or content.get("id"), "crate.name")):
        raise broken("it is about another package")
    recent = count(content.get("recent_downloads"), "crate.recent_downloads")
    return Gleaned(
        first_release=day(content.get("created_at"), "crate.created_at"),
        downloads=None if recent is None else recent // MONTHS,
        downloads_ever=count(content.get("downloads"), "crate.downloads"),
        repository=link(content.get("repository")),
    )


def owners(body: bytes, _asked: Subject) -> Gleaned:
    """The accounts that may publish it. Its answer does not say whose they are."""
    users = items(mapping(document(body), "the answer").get("users"), "users")
    return Gleaned(maintainers=accounts([mapping(user, "a user").get("login") for user in users], "users"))
