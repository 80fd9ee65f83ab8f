"""From the contents of sources to lists of names."""

from hack.corpora import lists
from hack.corpora.lists import Row

DEBIAN = """\
Package: librust-serde-dev
Version: 1.0.152-2
Provides: librust-serde+std-dev (= 1.0.152-2), librust-serde-1-dev (= 1.0.152-2)
Description: words

Package: librust-serde-json-dev
Version: 1.0.9-1
Depends: librust-serde-1-dev (>= 1.0), libc6

Package: librust-rand-0.7-dev
Version: 0.7.3-1
Provides: librust-rand-0.7+std-dev
Depends: librust-serde+std-dev | librust-nothing-dev

Package: librust-rand-dev
Version: 0.8.5-1
Depends: librust-rand-0.7+std-dev

Package: librust-sha-1-dev
Version: 0.10.1-1

Package: librust-serde+derive-dev
Version: 1.0.152-2

Package: python3-serde
Version: 1
"""
POM = b"""<project xmlns="urn:any">
  <properties><group>org.example</group></properties>
  <dependencyManagement><dependencies>
    <dependency><groupId>${group}</groupId><artifactId>one</artifactId></dependency>
    <dependency><groupId>org.other</groupId><artifactId> two </artifactId></dependency>
    <dependency><groupId>${nowhere}</groupId><artifactId>three</artifactId></dependency>
  </dependencies></dependencyManagement>
</project>"""


def test_crates_are_ranked_by_how_many_others_need_them() -> None:
    """Old versions are the same crate, features are none, and a number may be part of a name."""
    assert lists.crate_rows(DEBIAN, protected=1) == [
        Row(1, "serde", protected=True),
        Row(2, "rand", protected=False),
        Row(3, "serde-json", protected=False),
        Row(4, "sha-1", protected=False),
    ]


def test_bill_of_materials_gives_coordinates() -> None:
    """Properties are filled in; what stays open is left out."""
    assert lists.bom_coordinates(POM) == {"org.example:one", "org.other:two"}


def test_coordinates_of_two_bills_are_protected() -> None:
    """Two who agree are better than one."""
    assert lists.maven_rows([{"g:a", "g:b"}, {"g:b"}]) == [
        Row(None, "g:a", protected=False),
        Row(None, "g:b", protected=True),
    ]


def test_npm_names_without_downloads_follow_without_a_rank() -> None:
    """A name that two lists hold keeps the rank of the first."""
    rows = lists.npm_rows(lists.javascript_array(b"export const top = [\n  'b',\n  '@s/a'\n]\n"), ["b", "c"], 1)

    assert rows == [Row(1, "b", protected=True), Row(2, "@s/a", protected=False), Row(None, "c", protected=False)]


def test_guarddog_lists_keep_order_and_date() -> None:
    """The date is the list's own."""
    content = b'{"downloaded_timestamp": 0, "packages": ["b", "a"]}'

    assert lists.guarddog_list(content) == (["b", "a"], "1970-01-01T00:00:00Z")
