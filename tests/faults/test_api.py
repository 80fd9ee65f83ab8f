"""A sample of the troubles with the API server; `make faults-api` has all of them, and in full."""

from collections.abc import Callable

import pytest
from hack.faults.row import Row

from faults.answers import lost_answers
from faults.api import tried
from faults.audit import Entry
from faults.operators import spells_of
from faults.users import drift, one_broken, way_out
from faults.watches import stale_lists
from faults.world import World
from typosentinel_operator import names

# A figure for the report.
Record = Callable[[str, object], None]
SAMPLE: dict[str, Callable[[World], Row]] = {
    "drift of two kinds": lambda world: drift(world, (names.DEPLOYMENT, names.SERVICE)),
    "lost answers": lost_answers,
    "way out": way_out,
    "one broken of four": lambda world: one_broken(world, 4, compare=False),
    "stale lists": stale_lists,
}


@pytest.mark.parametrize("name", SAMPLE)
def test_the_operator_stands_it(world: World, name: str, record_property: Record) -> None:
    """Within the bounds of the campaign."""
    row = tried(name, SAMPLE[name], world)
    for figure, value in row.figures.items():
        record_property(figure, value)
    assert row.failed == []


def entry(credential: str, second: int, resource: str = "services", status: int = 200) -> Entry:
    """A write of somebody at some time."""
    received = f"2026-05-04T12:00:{second:02}.000000Z"
    where = "typosentinel-system" if resource == "leases" else "team-a"
    return Entry(
        "operator", "update", "", resource, "", where, "x", status, dry=False, received=received, credential=credential
    )


def test_two_writers_are_seen() -> None:
    """Who writes after another one has taken the Lease; who has tried to take it, and has not got it, leads no less."""
    told = {"a": "one", "b": "other"}
    in_turns = [
        entry("a", 1, "leases"),
        entry("a", 2),
        entry("b", 3, "leases", 409),
        entry("a", 4),
        entry("b", 5, "leases"),
        entry("b", 6),
    ]
    assert spells_of(in_turns, told) == (["one", "other"], [])
    late = entry("a", 7)
    assert spells_of([*in_turns, late, entry("b", 8)], told) == (["one", "other", "one", "other"], [late])
