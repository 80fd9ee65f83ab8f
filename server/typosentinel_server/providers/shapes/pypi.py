"""PyPI's JSON of a project, and the counts of downloads beside it."""

from typing import Any

from typosentinel_server.providers.asking import Subject, same
from typosentinel_server.providers.gleaned import Gleaned, broken
from typosentinel_server.providers.picking import accounts, count, day, document, items, link, mapping, text


def project(body: bytes, asked: Subject) -> Gleaned:
    """First release, the accounts with a role, and the repository.

    Author and maintainer fields are what a publisher writes, so they are no accounts.
    """
    content = mapping(document(body), "the answer")
    info = mapping(content.get("info"), "info")
    if not same(asked, text(info.get("name"), "info.name")):
        raise broken("it is about another package")
    return Gleaned(
        first_release=_first_upload(content.get("releases")),
        maintainers=_owners(content.get("ownership") or info.get("ownership")),
        repository=link(*_links(info)),
    )


def downloads(body: bytes, asked: Subject) -> Gleaned:
    """Downloads of the last month, as the usual statistics beside PyPI give them."""
    content = mapping(document(body), "the answer")
    if not same(asked, text(content.get("package"), "package")):
        raise broken("it is about another package")
    return Gleaned(downloads=count(mapping(content.get("data"), "data").get("last_month"), "data.last_month"))


def _first_upload(releases: Any) -> Any:
    if releases is None:
        return None
    days = [
        day(mapping(file, "a file").get("upload_time_iso_8601") or mapping(file, "a file").get("upload_time"), "upload")
        for files in mapping(releases, "releases").values()
        for file in items(files, "a release")
    ]
    return min((one for one in days if one is not None), default=None)


def _owners(ownership: Any) -> frozenset[str]:
    if ownership is None:
        return frozenset()
    roles = items(mapping(ownership, "ownership").get("roles"), "ownership.roles")
    return accounts([mapping(role, "a role").get("user") for role in roles], "ownership.roles")


def _links(info: dict[str, Any]) -> list[Any]:
    urls = info.get("project_urls")
    urls = urls if isinstance(urls, dict) else {}
    likely = [value for key, value in urls.items() if key.lower() in {"source", "source code", "repository", "code"}]
    return [*likely, info.get("home_page"), *urls.values()]
