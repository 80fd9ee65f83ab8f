"""Answers as registries give them, written down from their documentation, and answers that cannot be right."""

from collections.abc import Callable
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import STEADY
from typosentinel_server.providers.asking import Subject, subject
from typosentinel_server.providers.gleaned import Failure, Gleaned, State
from typosentinel_server.providers.reading import PARSERS
from typosentinel_server.providers.shapes import goproxy, osv
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.sections.providers import SHAPES_OF, Shape

ECOSYSTEM_OF = {shape: ecosystem for ecosystem, shapes in SHAPES_OF.items() for shape in shapes}
NAMES = {Ecosystem.MAVEN: "org.example:thing", Ecosystem.GO: "example.org/thing", Ecosystem.NPM: "@example/thing"}
LINK = "https://github.com/example/thing"


def asked_of(shape: Shape) -> Subject:
    """The package that the answers of a shape are about."""
    ecosystem = ECOSYSTEM_OF[shape]
    return subject(ecosystem, NAMES.get(ecosystem, "Some_Thing"))


def read(shape: Shape, answer: Any) -> Gleaned:
    """What an answer comes to."""
    body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
    if shape is Shape.GO_PROXY:
        return goproxy.info(body, asked_of(shape))
    return PARSERS[shape](body, asked_of(shape))


PYPI = {
    "info": {
        "name": "some-thing",
        "author": "Somebody Famous",
        "home_page": "https://example.org",
        "project_urls": {"Homepage": "https://example.org", "Source": LINK},
    },
    "ownership": {"roles": [{"role": "Owner", "user": "ann"}, {"role": "Maintainer", "user": "bob"}]},
    "releases": {
        "0.1": [],
        "1.0": [{"upload_time_iso_8601": "2020-05-31T23:30:00.123456Z"}, {"upload_time": "2020-06-01T00:00:00"}],
        "2.0": [{"upload_time_iso_8601": "2021-01-01T00:00:00Z"}],
    },
}
NPM = {
    "name": "@example/thing",
    "time": {"created": "2018-02-03T04:05:06.789Z", "modified": "2024-01-01T00:00:00.000Z"},
    "maintainers": [{"name": "ann", "email": "ann@example.org"}, {"name": "bob"}],
    "repository": {"type": "git", "url": "git+https://github.com/example/thing.git"},
}
CRATE = {
    "crate": {
        "id": "some_thing",
        "name": "some_thing",
        "created_at": "2019-07-08T09:10:11.121314+00:00",
        "downloads": 9_000_000,
        "recent_downloads": 300_001,
        "repository": LINK,
    },
    "versions": [],
}
LEAF = {"catalogEntry": {"id": "Some_Thing", "published": "2016-06-22T16:45:46.38+00:00", "projectUrl": LINK}}
UNLISTED = {"catalogEntry": {"id": "some_thing", "published": "1900-01-01T00:00:00+00:00", "projectUrl": ""}}
MAVEN = {"g": "org.example", "a": "thing", "v": "1.0", "timestamp": 1_500_000_000_000}

GOOD: list[tuple[Shape, Any, Gleaned]] = [
    (Shape.PYPI, PYPI, Gleaned(date(2020, 5, 31), maintainers=frozenset({"ann", "bob"}), repository=LINK)),
    (Shape.PYPI, {"info": {"name": "SOME.thing"}}, Gleaned()),
    (Shape.PYPI_STATS, {"data": {"last_day": 1, "last_month": 70}, "package": "some-thing"}, Gleaned(downloads=70)),
    (
        Shape.NPM,
        NPM,
        Gleaned(
            date(2018, 2, 3),
            maintainers=frozenset({"ann", "bob"}),
            repository="git+https://github.com/example/thing.git",
        ),
    ),
    (Shape.NPM, {"name": "@example/thing", "repository": 7}, Gleaned()),
    (Shape.NPM_DOWNLOADS, {"downloads": 12, "package": "@example/thing"}, Gleaned(downloads=12)),
    (
        Shape.CRATES,
        CRATE,
        Gleaned(date(2019, 7, 8), downloads=100_000, downloads_ever=9_000_000, repository=LINK),
    ),
    (Shape.CRATES_OWNERS, {"users": [{"login": "ann"}]}, Gleaned(maintainers=frozenset({"ann"}))),
    (
        Shape.RUBYGEMS,
        {"name": "Some_Thing", "downloads": 5, "source_code_uri": None, "homepage_uri": LINK, "authors": "Famous"},
        Gleaned(downloads_ever=5, repository=LINK),
    ),
    (
        Shape.RUBYGEMS_VERSIONS,
        [{"created_at": "2015-01-02T00:00:00.000Z"}, {"created_at": "2014-01-02T00:00:00.000Z"}],
        Gleaned(date(2014, 1, 2)),
    ),
    (Shape.RUBYGEMS_OWNERS, [{"handle": "ann"}, {"handle": None}], Gleaned(maintainers=frozenset({"ann"}))),
    (
        Shape.NUGET_REGISTRATION,
        {"items": [{"items": [UNLISTED, LEAF]}]},
        Gleaned(date(2016, 6, 22), repository=LINK),
    ),
    (Shape.NUGET_REGISTRATION, {"items": [{"@id": "x"}, {"items": [LEAF]}]}, Gleaned(repository=LINK)),
    (
        Shape.NUGET_SEARCH,
        {"data": [{"id": "Other"}, {"id": "some_thing", "totalDownloads": 9, "owners": ["ann"], "projectUrl": LINK}]},
        Gleaned(downloads_ever=9, maintainers=frozenset({"ann"}), repository=LINK),
    ),
    (Shape.GO_PROXY, {"Version": "v0.1.0", "Time": "2017-01-02T23:00:00-05:00"}, Gleaned(date(2017, 1, 3))),
    (Shape.MAVEN_SEARCH, {"response": {"numFound": 1, "docs": [MAVEN]}}, Gleaned(date(2017, 7, 14))),
    (Shape.MAVEN_SEARCH, {"response": {"numFound": 2, "docs": [MAVEN]}}, Gleaned()),
]


@pytest.mark.parametrize(("shape", "answer", "wanted"), GOOD)
def test_what_an_answer_says(shape: Shape, answer: Any, wanted: Gleaned) -> None:
    """First release, downloads, accounts and repository where the registry gives them."""
    assert read(shape, answer) == wanted


def test_every_shape_is_shown() -> None:
    """No shape without an example of a good answer."""
    assert {shape for shape, _, _ in GOOD} == set(Shape)


@pytest.mark.parametrize(
    ("shape", "answer"),
    [
        (Shape.NPM, {"name": "@example/thing", "time": {"unpublished": {"time": "2020-01-01T00:00:00Z"}}}),
        (Shape.NUGET_SEARCH, {"data": [{"id": "Other"}]}),
        (Shape.MAVEN_SEARCH, {"response": {"numFound": 0, "docs": []}}),
    ],
)
def test_an_answer_may_say_that_there_is_no_such_package(shape: Shape, answer: Any) -> None:
    """Not every registry says so with 404."""
    with pytest.raises(Failure) as failure:
        read(shape, answer)
    assert failure.value.state is State.ABSENT


DEEP = b"[" * 10**6 + b"]" * 10**6
NEVER_RIGHT = [
    b"",
    b"null",
    b"7",
    b'"text"',
    b"<html></html>",
    b"{",
    b"\xff\xfe",
    b'{"info": "\xff"}',
    b"NaN",
    b'{"crate": NaN}',
    DEEP,
    b'{"a":' * 10**5 + b"1" + b"}" * 10**5,
    b"[" + b"[]," * 10**6 + b"[]]",
]


@pytest.mark.parametrize("shape", Shape)
def test_what_is_never_an_answer(shape: Shape) -> None:
    """No JSON, not UTF-8, too deep, the wrong kind of value: broken, and nothing worse."""
    for body in NEVER_RIGHT:
        with pytest.raises(Failure) as failure:
            read(shape, body)
        assert failure.value.state is State.BROKEN


def changed(answer: Any, *path: str | int, to: Any) -> Any:
    """A copy of an answer with one value exchanged."""
    if not path:
        return to
    copy = dict(answer) if isinstance(answer, dict) else list(answer)
    copy[path[0]] = changed(copy[path[0]], *path[1:], to=to)  # type: ignore[index]
    return copy


@pytest.mark.parametrize(
    ("shape", "answer"),
    [
        (Shape.PYPI, changed(PYPI, "info", "name", to="other")),
        (Shape.PYPI, changed(PYPI, "info", to=[])),
        (Shape.PYPI, changed(PYPI, "releases", to=[])),
        (Shape.PYPI, changed(PYPI, "releases", "1.0", to={"a": 1})),
        (Shape.PYPI, changed(PYPI, "releases", "1.0", 0, to={"upload_time": 7})),
        (Shape.PYPI, changed(PYPI, "releases", "1.0", 0, to={"upload_time": "yesterday"})),
        (Shape.PYPI, changed(PYPI, "releases", "1.0", 0, to={"upload_time": "2020-01-01" + " " * 100})),
        (Shape.PYPI, changed(PYPI, "ownership", "roles", 0, to={"user": ["ann"]})),
        (Shape.PYPI_STATS, {"data": {"last_month": "many"}, "package": "some-thing"}),
        (Shape.PYPI_STATS, {"data": {"last_month": 7}, "package": "other"}),
        (Shape.NPM, changed(NPM, "name", to="thing")),
        (Shape.NPM, changed(NPM, "time", to="2018")),
        (Shape.NPM, changed(NPM, "time", "created", to={})),
        (Shape.NPM, changed(NPM, "maintainers", to="ann")),
        (Shape.NPM, changed(NPM, "maintainers", to=[{"name": "a" * 201}])),
        (Shape.NPM, changed(NPM, "maintainers", to=[{"name": str(n)} for n in range(201)])),
        (Shape.NPM_DOWNLOADS, {"downloads": -1, "package": "@example/thing"}),
        (Shape.NPM_DOWNLOADS, {"downloads": 1.5, "package": "@example/thing"}),
        (Shape.NPM_DOWNLOADS, {"downloads": True, "package": "@example/thing"}),
        (Shape.NPM_DOWNLOADS, {"downloads": 10**13, "package": "@example/thing"}),
        (Shape.NPM_DOWNLOADS, b'{"downloads": 1' + b"0" * 5000 + b', "package": "@example/thing"}'),
        (Shape.NPM_DOWNLOADS, b'{"downloads": 1e999, "package": "@example/thing"}'),
        (Shape.CRATES, changed(CRATE, "crate", "created_at", to="0001-01-01T00:00:00+14:00")),
        (Shape.CRATES, changed(CRATE, "crate", "recent_downloads", to=[])),
        (Shape.MAVEN_SEARCH, {"response": {"numFound": 1, "docs": [changed(MAVEN, "timestamp", to=10**18)]}}),
        (Shape.MAVEN_SEARCH, {"response": {"numFound": 1, "docs": [changed(MAVEN, "timestamp", to=-1)]}}),
        (Shape.MAVEN_SEARCH, {"response": {"numFound": 1, "docs": [changed(MAVEN, "a", to="other")]}}),
        (Shape.NUGET_REGISTRATION, {"items": [{"items": [{"catalogEntry": {"id": "Other"}}]}]}),
    ],
)
def test_what_a_registry_answers_for_must_be_right(shape: Shape, answer: Any) -> None:
    """A wrong type, another package, a number or a time that cannot be: the whole answer is broken."""
    with pytest.raises(Failure) as failure:
        read(shape, answer)
    assert failure.value.state is State.BROKEN


@pytest.mark.parametrize("link", [None, 7, [], {}, "", "no address", "x" * 501, "javascript:alert(1)", "\ud800"])
def test_what_a_publisher_writes_breaks_nothing(link: Any) -> None:
    """A squatter cannot hide the age of his package behind an odd link."""
    answer = changed(CRATE, "crate", "repository", to=link)
    body = orjson.dumps(answer) if link != "\ud800" else orjson.dumps(CRATE).replace(LINK.encode(), b"\\ud800")
    try:
        found = read(Shape.CRATES, body)
    except Failure as failure:
        # What JSON cannot hold is the registry's to keep out.
        assert link == "\ud800"
        assert failure.state is State.BROKEN  # noqa: PT017 - either outcome is right here
    else:
        assert (found.first_release, found.repository) == (date(2019, 7, 8), None)


def leaves(path: tuple[str | int, ...], value: Any) -> list[tuple[str | int, ...]]:
    """The places of all values in an answer."""
    inner: list[tuple[str | int, ...]] = [path]
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        inner += leaves((*path, key), one)
    return inner


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@STEADY
@given(st.sampled_from(GOOD), st.data(), ANYTHING)
def test_no_value_anywhere_breaks_out(good: tuple[Shape, Any, Gleaned], data: st.DataObject, value: Any) -> None:
    """Whatever stands in whichever place, it ends in evidence or in Failure."""
    shape, answer, _ = good
    body = orjson.dumps(changed(answer, *data.draw(st.sampled_from(leaves((), answer))), to=value))
    try:
        found = read(shape, body)
    except Failure:
        return
    assert found.downloads is None or found.downloads >= 0


@STEADY
@given(st.binary(max_size=200))
def test_no_bytes_break_out(body: bytes) -> None:
    """Nor do any bytes, in any shape."""
    for shape in Shape:
        with_failure(lambda shape=shape: read(shape, body))  # type: ignore[misc]
    with_failure(lambda: goproxy.first_version(body))
    with_failure(lambda: osv.page(body, asked_of(Shape.PYPI)))


def with_failure(act: Callable[[], Any]) -> None:
    """Does something that may end in Failure, and in nothing else that is raised."""
    try:
        act()
    except Failure as failure:
        assert failure.reason  # noqa: PT017 - either outcome is right here


@pytest.mark.parametrize(
    ("body", "first"),
    [
        (b"", None),
        (b"\n", None),
        (b"v1.10.0\nv1.9.0\nv1.9.0-rc.1\n", "v1.9.0-rc.1"),
        (b"v2.0.0+incompatible\nv10.0.0\n", "v2.0.0+incompatible"),
    ],
)
def test_first_version_of_a_module(body: bytes, first: str | None) -> None:
    """The lowest, as numbers go; the list has no order."""
    assert goproxy.first_version(body) == first


@pytest.mark.parametrize("body", [b"v1", b"../../etc", b"v1.0.0/..", b"v1.0.0?x", b"\xff", b"v1.0.0 <html>"])
def test_versions_lead_nowhere_else(body: bytes) -> None:
    """A version becomes part of an address, so it is one or the list is broken."""
    with pytest.raises(Failure):
        goproxy.first_version(body)


def test_sums_become_months() -> None:
    """A count since the first release is spread over the package's life, and says nothing without its beginning."""
    today = date(2026, 1, 1)
    assert Gleaned(date(2025, 1, 1), downloads_ever=365_000).facts(today).downloads == 30_000
    assert Gleaned(date(2025, 12, 31), downloads_ever=700).facts(today).downloads == 700
    assert Gleaned(downloads_ever=365_000).facts(today).downloads is None
    assert Gleaned(date(2025, 1, 1), downloads=5, downloads_ever=365_000).facts(today).downloads == 5


def test_what_has_not_happened_is_left_out() -> None:
    """A first release in the future is no first release."""
    assert Gleaned(date(2030, 1, 1), downloads=5).plausible(date(2026, 1, 1)) == Gleaned(downloads=5)
