"""A server's answers to all that its own documents lead strangers to, and to bodies that were right once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hack.fuzz.api.mutations import bodies
from hack.fuzz.api.running import Fuzzed, broken_bodies, examine, served

SEED = 20261121
EXAMPLES = 8
BODIES = 4000

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """One server for all of it."""
    with served(tmp_path_factory.mktemp("fuzzed")) as found:
        yield found


def test_the_public_document_is_kept_to(server: Fuzzed, tmp_path: Path) -> None:
    """All checks of schemathesis, and ours."""
    found = examine(server.url, None, EXAMPLES, SEED, tmp_path)
    assert found.well, found.told
    assert found.cases > 200


def test_the_administrative_document_is_kept_to(server: Fuzzed, tmp_path: Path) -> None:
    """The same, with the token and without it."""
    found = examine(server.admin_url, server.token, EXAMPLES, SEED, tmp_path)
    assert found.well, found.told
    assert found.cases > 200


async def test_broken_bodies_break_nothing(server: Fuzzed) -> None:
    """No error of the server's own, and every answer of the form that the document gives it."""
    found = await broken_bodies(server.url, BODIES, SEED)
    assert {what for what in found if not what.isdecimal()} == set()
    assert set(found) <= {"200", "202", "400", "413", "415", "422", "503"}
    assert found["200"] > BODIES // 100
    assert found["422"] > BODIES // 10


def test_what_breaks_the_contract_is_found(server: Fuzzed, tmp_path: Path) -> None:
    """The administrative document without the token: a check that finds nothing here would find nothing anywhere."""
    found = examine(server.admin_url, None, 2, SEED, tmp_path)
    assert not found.well
    assert "UNAUTHORIZED" in found.told


def test_the_same_seed_gives_the_same_bodies() -> None:
    """So that a finding can be looked into."""
    assert list(bodies(50, 1)) == list(bodies(50, 1)) != list(bodies(50, 2))
