"""RubyGems' JSON of a gem, of its versions and of its owners."""

from typosentinel_server.providers.asking import Subject, same
from typosentinel_server.providers.gleaned import Gleaned, broken
from typosentinel_server.providers.picking import accounts, count, day, document, link, mapping, rows, text


def gem(body: bytes, asked: Subject) -> Gleaned:
    """Downloads since the first release, and the repository. The authors are what a publisher writes."""
    content = mapping(document(body), "the answer")
    if not same(asked, text(content.get("name"), "name")):
        raise broken("it is about another package")
    return Gleaned(
        downloads_ever=count(content.get("downloads"), "downloads"),
        repository=link(content.get("source_code_uri"), content.get("homepage_uri")),
    )


def versions(body: bytes, _asked: Subject) -> Gleaned:
    """The first release. Its answer does not say whose versions they are."""
    found = rows(document(body), "the answer")
    # `built_at` is the day that the publisher's machine believed it was; `created_at` is the registry's own.
    days = [day(mapping(one, "a version").get("created_at"), "created_at") for one in found]
    return Gleaned(first_release=min((one for one in days if one is not None), default=None))


def owners(body: bytes, _asked: Subject) -> Gleaned:
    """The accounts that may publish it. Its answer does not say whose they are."""
    found = rows(document(body), "the answer")
    handles = [mapping(one, "an owner").get("handle") for one in found]
    # Accounts from before there were handles have none.
    return Gleaned(maintainers=accounts([handle for handle in handles if handle is not None], "owners"))
