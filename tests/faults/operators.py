"""The row about two operators of equal rank: one leads, it is killed, the other goes on, and the other way round."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hack.faults.row import Row

from faults.audit import Entry
from faults.scene import service, until
from faults.world import World
from operator_process import AS_SHIPPED, Operator
from release import ACCOUNT, SYSTEM, credential_of, holder

SPACE = "api-two"
CHILD = "front-scanner"


def two_operators(world: World, turns: int = 10) -> Row:
    """Row 16: the one that leads is killed, so many times, and each time the other one does what is to be done."""
    row = Row("two-operators")
    leader, standby = pair = [world.candidate(f"{ACCOUNT}-{name}", AS_SHIPPED) for name in ("one", "other")]
    killed: list[datetime] = []
    with service(world, SPACE):
        world.operator.stop()
        world.audit.skip()
        try:
            leader.start()
            first = leader.candidacy.identity
            leads = until(replace(world, operator=leader), lambda: holder(world.kubectl) == first)
            assert leads is not None, "the first one does not lead"
            standby.start()
            for _ in range(turns):
                killed.append(_taken_over(world, leader, standby))
                row.wants(holder(world.kubectl) == standby.candidacy.identity, "the Lease is not the standby's")
                leader.start()
                leader, standby = standby, leader
        finally:
            for one in pair:
                one.stop()
    entries = sorted(world.audit.entries(), key=lambda entry: entry.received)
    times = sorted(_until_made_anew(entries, moment) for moment in killed)
    row.within("takeover_max_s", times[-1], 20)
    row.figures |= {"takeover_median_s": round(times[len(times) // 2], 1), "takeovers": turns}
    told = {credential_of(one.kubeconfig): one.candidacy.identity for one in pair}
    spells, wrong = spells_of(entries, told)
    row.figures["spells"] = len(spells)
    row.wants(not wrong, f"writes by one that did not lead: {wrong[:3]}")
    expected = [pair[turn % 2].candidacy.identity for turn in range(turns + 1)]
    # Who is started first has nothing to write.
    row.wants(spells in (expected, expected[1:]), f"they wrote in turns {spells}")
    crashes = [line for one in pair for line in one.crashes()]
    row.wants(not crashes, f"an operator crashed: {crashes[:1]}")
    return row


def _taken_over(world: World, leader: Operator, standby: Operator) -> datetime:
    """Kill the one that leads, delete a child, and wait until the other one has made it anew; returns when it died."""
    leader.kill()
    moment = datetime.now(UTC)
    world.kubectl.delete("service", CHILD, SPACE)

    def repaired() -> bool:
        return world.kubectl.get_json("service", CHILD, SPACE) is not None

    assert until(replace(world, operator=standby), repaired) is not None, "nobody goes on"
    return moment


def _until_made_anew(entries: Sequence[Entry], moment: datetime) -> float:
    """Seconds from that moment until the API server was asked for the child."""
    made = (
        datetime.fromisoformat(entry.received)
        for entry in entries
        if entry.created and (entry.resource, entry.namespace, entry.name) == ("services", SPACE, CHILD)
    )
    return min((one - moment).total_seconds() for one in made if one > moment)


def spells_of(entries: Iterable[Entry], told: dict[str, str]) -> tuple[list[str], list[Entry]]:
    """Who wrote, one after the other, each named once until another one writes; and writes by one that did not lead.

    Args:
        entries: of the audit log, in their order.
        told: names by credential.
    """
    spells: list[str] = []
    wrong = []
    leader = ""
    for entry in entries:
        who = told.get(entry.credential)
        if who is None or not entry.writes:
            continue
        if entry.resource == "leases" and entry.namespace == SYSTEM:
            leader = who if entry.took_effect else leader
            continue
        if who != leader:
            wrong.append(entry)
        if spells[-1:] != [who]:
            spells.append(who)
    return spells, wrong
