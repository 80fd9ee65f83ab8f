"""Names of packages in the addresses of registries: none leads elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import STEADY
from typosentinel_server.providers.asking import address, subject
from typosentinel_server.providers.gleaned import Failure, State
from typosentinel_server.scan.model import Ecosystem


@pytest.mark.parametrize(
    ("ecosystem", "name", "path"),
    [
        (Ecosystem.PYPI, "Some.Thing", "some-thing"),
        (Ecosystem.NPM, "@example/thing", "@example%2Fthing"),
        (Ecosystem.NPM, "it's(a)~thing!", "it%27s%28a%29~thing%21"),
        (Ecosystem.NPM, "...a", "...a"),
        (Ecosystem.NUGET, "Some.Thing", "some.thing"),
        (Ecosystem.GO, "github.com/Example/Thing/v2", "github.com/!example/!thing"),
        (Ecosystem.RUBYGEMS, "a..b", "a..b"),
    ],
)
def test_names_in_addresses(ecosystem: Ecosystem, name: str, path: str) -> None:
    """A name is one part of the path, and only Go's have several."""
    assert address("https://r.example.org/x/{name}/json", subject(ecosystem, name)) == (
        f"https://r.example.org/x/{path}/json"
    )


def test_parts_of_a_name_in_a_query() -> None:
    """Maven's search asks for group and artifact by themselves."""
    asked = subject(Ecosystem.MAVEN, "org.example:thing_2.13")
    assert address("https://r.example.org/s?q=g:{group}+AND+a:{artifact}", asked) == (
        "https://r.example.org/s?q=g:org.example+AND+a:thing_2.13"
    )


@pytest.mark.parametrize(
    ("ecosystem", "name"),
    [
        (Ecosystem.PYPI, "../admin"),
        (Ecosystem.PYPI, "a/../b"),
        (Ecosystem.PYPI, "%2e%2e"),
        (Ecosystem.PYPI, "a\r\nHost: evil"),
        (Ecosystem.PYPI, "a?b"),
        (Ecosystem.PYPI, "a#b"),
        (Ecosystem.PYPI, "a@evil.example"),
        (Ecosystem.PYPI, "r\u0435quests"),
        (Ecosystem.PYPI, ""),
        (Ecosystem.NPM, ".."),
        (Ecosystem.NPM, "."),
        (Ecosystem.NPM, "@scope/.."),
        (Ecosystem.NPM, "@scope/../../etc"),
        (Ecosystem.NPM, "@../x"),
        (Ecosystem.GO, "example.org/../x"),
        (Ecosystem.GO, "example.org/./x"),
        (Ecosystem.GO, ".."),
        (Ecosystem.GO, "//evil.example/x"),
        (Ecosystem.MAVEN, "..:thing"),
        (Ecosystem.MAVEN, "org.example:.."),
    ],
)
def test_names_that_could_lead_elsewhere_are_not_asked_about(ecosystem: Ecosystem, name: str) -> None:
    """What is no name, or could be taken for a way up, makes no address."""
    with pytest.raises(Failure) as failure:
        subject(ecosystem, name)
    assert failure.value.state is State.REFUSED


@STEADY
@given(st.sampled_from(Ecosystem), st.text(st.characters(codec="ascii"), max_size=30))
def test_no_name_changes_where_a_request_goes(ecosystem: Ecosystem, name: str) -> None:
    """For any text, the address keeps its host and the parts around the name, or there is no address."""
    try:
        asked = subject(ecosystem, name)
    except Failure:
        return
    made = address("https://r.example.org/before/{name}/after", asked)
    parts = made.split("/")
    assert parts[:4] == ["https:", "", "r.example.org", "before"]
    assert parts[-1] == "after"
    assert ecosystem is Ecosystem.GO or len(parts) == 6
    assert not {".", "..", ""} & set(parts[4:])
    assert not set("?#\\ \r\n") & set(made)
