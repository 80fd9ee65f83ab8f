"""The API server in trouble, a row for each kind: it is away, slow, wrong, forgetful, or somebody writes to children.

Each row is a function of a world and says what it measured and what did not hold. Rows leave the world as they found
it: healed, and at rest.
"""

import json
from collections.abc import Callable

from hack.faults.row import Row

from faults.answers import lost_answers, outage, sprinkled
from faults.operators import two_operators
from faults.users import drift, one_broken, replica_fight, way_out
from faults.watches import broken_watches, dead_watch, missed_event, stale_lists
from faults.world import World


def rows(minutes: float) -> list[tuple[str, Callable[[World], Row]]]:
    """All rows by name; outages and sprinkled faults last so many minutes (five, in full)."""
    return [
        ("drift", drift),
        ("missed-event", missed_event),
        ("dead-watch", dead_watch),
        ("broken-watches", broken_watches),
        ("stale-lists", stale_lists),
        ("way-out", way_out),
        ("lost-answers", lost_answers),
        ("replica-fight", replica_fight),
        ("one-broken", one_broken),
        ("two-operators", two_operators),
        ("some-fail", lambda world: sprinkled(world, "some-fail", 0.05, minutes * 60)),
        ("many-fail", lambda world: sprinkled(world, "many-fail", 0.3, minutes * 60)),
        ("outage", lambda world: outage(world, minutes * 60)),
    ]


def tried(name: str, row: Callable[[World], Row], world: World) -> Row:
    """A row; one that can't even be tried to its end has not held."""
    try:
        return row(world)
    except AssertionError as error:
        world.proxy.heal()
        return Row(name, failed=[f"not tried to its end: {str(error)[:300]}"])


def last_line(done: list[Row]) -> str:
    """The figures as JSON."""
    found = {row.name: row.figures for row in done}
    failed = [f"{row.name}: {'; '.join(row.failed)}" for row in done if row.failed]
    return json.dumps({"faults": "api", "rows": len(done), "failed": failed, "figures": found})
