"""NuGet's registration of a package, and its search."""

from typing import Any

from typosentinel_server.providers.asking import Subject, same
from typosentinel_server.providers.gleaned import Failure, Gleaned, State, broken
from typosentinel_server.providers.picking import accounts, count, day, document, items, link, mapping, text


def registration(body: bytes, asked: Subject) -> Gleaned:
    """First release and repository, where all versions are on the one page.

    Pages that stand elsewhere are not fetched: their address would be the answer's choice. NuGet dates what was taken
    off its lists 1900, and that is no first release.
    """
    pages = [mapping(page, "a page") for page in items(mapping(document(body), "the answer").get("items"), "items")]
    entries = [_entry(leaf) for page in pages for leaf in items(page.get("items"), "a page's items")]
    if not entries:
        return Gleaned()
    if not all(same(asked, text(entry.get("id"), "id")) for entry in entries):
        raise broken("it is about another package")
    days = [day(entry.get("published"), "published") for entry in entries]
    # Pages are in the order of versions. Where one is left out, an earlier release may be on it.
    whole = all(page.get("items") is not None for page in pages)
    return Gleaned(
        first_release=min((one for one in days if one is not None), default=None) if whole else None,
        repository=link(*(entry.get("projectUrl") for entry in reversed(entries))),
    )


def search(body: bytes, asked: Subject) -> Gleaned:
    """Downloads since the first release, owners and repository, from the row of the very name."""
    rows = [mapping(row, "a row") for row in items(mapping(document(body), "the answer").get("data"), "data")]
    for row in rows:
        if same(asked, text(row.get("id"), "id")):
            owners = row.get("owners")
            return Gleaned(
                downloads_ever=count(row.get("totalDownloads"), "totalDownloads"),
                maintainers=accounts([owners] if isinstance(owners, str) else items(owners, "owners"), "owners"),
                repository=link(row.get("projectUrl")),
            )
    raise Failure(State.ABSENT, "no row has this name")


def _entry(leaf: Any) -> dict[str, Any]:
    return mapping(mapping(leaf, "a version").get("catalogEntry"), "catalogEntry")
