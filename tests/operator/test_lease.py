"""What a Lease says and what follows from it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from typosentinel_operator import lease
from typosentinel_operator.lease import Action, Sight, Tenure, Timing

TIMING = Timing(duration=15, deadline=10.0, retry=2.0)
SEEN = 100.0
NOW = datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC)
PLACE = ("team-a", "operator")


def spec(holder: str | None, seconds: int | None = 15, transitions: int = 3) -> dict[str, Any]:
    """A record; whoever wrote it has a clock that is years behind, which must not matter."""
    return {
        "holderIdentity": holder,
        "leaseDurationSeconds": seconds,
        "leaseTransitions": transitions,
        "acquireTime": "1999-01-01T00:00:00.000000Z",
        "renewTime": "1999-01-01T00:00:00.000000Z",
    }


def stored(record: dict[str, Any]) -> dict[str, Any]:
    """A Lease as the API server returns it."""
    return {"metadata": {"name": "operator", "namespace": "team-a", "resourceVersion": "7"}, "spec": record}


HELD = Sight(stored(spec("other")), spec("other"), SEEN)
SHORT = Sight(stored(spec("other", 5)), spec("other", 5), SEEN)
SILENT = Sight(stored(spec("other", None)), spec("other", None), SEEN)
OURS = Sight(stored(spec("me")), spec("me"), SEEN)
RELEASED = Sight(stored(spec("", 1)), spec("", 1), SEEN)
NOBODYS = Sight(stored({}), {}, SEEN)
NONE = Sight(None, {}, SEEN)
DELETED = Sight(None, spec("other"), SEEN)
OURS_DELETED = Sight(None, spec("me"), SEEN)

DECISIONS: dict[str, tuple[Sight, float, bool, Action]] = {
    # sentence → (what is seen, seconds since then, whether we lead, what to do)
    "a Lease that another one holds is waited for": (HELD, 14.9, False, Action.WAIT),
    "it is taken as soon as its time is over": (HELD, 15.0, False, Action.CLAIM),
    "its holder says how long that is": (SHORT, 5.0, False, Action.CLAIM),
    "and not sooner than it says": (SHORT, 4.9, False, Action.WAIT),
    "a holder who does not say gets our time": (SILENT, 14.9, False, Action.WAIT),
    "and no more": (SILENT, 15.0, False, Action.CLAIM),
    "a Lease that was given back is taken at once": (RELEASED, 0.0, False, Action.CLAIM),
    "so is one that nobody ever held": (NOBODYS, 0.0, False, Action.CLAIM),
    "where there is none it is made at once": (NONE, 0.0, False, Action.CLAIM),
    "one that was deleted is waited for like one that is there": (DELETED, 14.9, False, Action.WAIT),
    "and made anew when its time is over": (DELETED, 15.0, False, Action.CLAIM),
    "who was restarted under its name goes on at once": (OURS, 0.0, False, Action.CLAIM),
    "a leader renews": (OURS, 2.0, True, Action.CLAIM),
    "a leader makes a Lease anew that somebody deleted": (OURS_DELETED, 2.0, True, Action.CLAIM),
    "a leader whose Lease another one has gives up": (HELD, 0.0, True, Action.GIVE_UP),
    "however long that one has been silent": (HELD, 99.0, True, Action.GIVE_UP),
    "a leader whose Lease was taken away gives up": (RELEASED, 0.0, True, Action.GIVE_UP),
}


@pytest.mark.parametrize("sentence", DECISIONS)
def test_what_to_do_about_a_lease(sentence: str) -> None:
    """By our own clock since we saw it change, and never by the times within it."""
    sight, age, leading, wanted = DECISIONS[sentence]
    assert lease.decide(sight, "me", TIMING, SEEN + age, leading=leading) is wanted


def test_time_counts_from_the_last_change_of_the_record() -> None:
    """A look that finds the same does not put the end off, nor does somebody's annotation; a renewal does."""
    first = lease.see(None, stored(spec("other")), 1.0)
    annotated = stored(spec("other"))
    annotated["metadata"] |= {"resourceVersion": "8", "annotations": {"a": "b"}}
    second = lease.see(first, annotated, 5.0)
    renewed = lease.see(second, stored(spec("other") | {"renewTime": "1999-01-01T00:00:02.000000Z"}), 9.0)
    assert (first.since, second.since, renewed.since) == (1.0, 1.0, 9.0)
    assert second.lease == annotated


def test_a_lease_that_vanishes_is_remembered() -> None:
    """Else whoever deletes it makes two leaders; who has never seen it knows of nobody to wait for."""
    seen = lease.see(lease.see(None, stored(spec("other")), 1.0), None, 5.0)
    assert (seen.lease, seen.holder, seen.since) == (None, "other", 1.0)
    assert lease.see(None, None, 5.0) == Sight(None, {}, 5.0)


@pytest.mark.parametrize(
    ("sight", "age", "wanted"),
    [
        (None, 0.0, 2.0),
        (NONE, 0.0, 2.0),
        (HELD, 1.0, 2.0),
        (HELD, 14.5, 0.5),
        (HELD, 15.0, 2.0),
        (HELD, 99.0, 2.0),
    ],
)
def test_the_end_of_a_lease_is_not_slept_through(sight: Sight | None, age: float, wanted: float) -> None:
    """A standby wakes up when the Lease runs out; in vain it does not look more often than usual."""
    assert lease.pause(sight, TIMING, SEEN + age) == wanted


def test_the_first_holder_makes_the_lease() -> None:
    """Times as Kubernetes writes them, with microseconds."""
    assert lease.claimed(NONE, PLACE, "me", TIMING, NOW) == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "operator", "namespace": "team-a"},
        "spec": {
            "holderIdentity": "me",
            "leaseDurationSeconds": 15,
            "leaseTransitions": 0,
            "acquireTime": "2026-11-01T12:00:00.250000Z",
            "renewTime": "2026-11-01T12:00:00.250000Z",
        },
    }


@pytest.mark.parametrize("sight", [HELD, RELEASED])
def test_a_new_holder_is_a_transition(sight: Sight) -> None:
    """The version that was read goes along, so that only one of two can be the next."""
    found = lease.claimed(sight, PLACE, "me", TIMING, NOW)
    assert found["metadata"]["resourceVersion"] == "7"
    assert (found["spec"]["holderIdentity"], found["spec"]["leaseTransitions"]) == ("me", 4)
    assert found["spec"]["leaseDurationSeconds"] == 15
    assert found["spec"]["acquireTime"] == found["spec"]["renewTime"] == "2026-11-01T12:00:00.250000Z"


def test_a_renewal_is_no_transition() -> None:
    """Nor is the restart of a container."""
    found = lease.claimed(OURS, PLACE, "me", TIMING, NOW)["spec"]
    assert (found["leaseTransitions"], found["acquireTime"]) == (3, "1999-01-01T00:00:00.000000Z")
    assert found["renewTime"] == "2026-11-01T12:00:00.250000Z"


def test_a_lease_is_given_back_with_nobody_as_its_holder() -> None:
    """And with the shortest time there is, for those who look at nothing else."""
    found = lease.released(stored(spec("me")), NOW)
    assert found["metadata"]["resourceVersion"] == "7"
    wanted = spec("", 1) | {"renewTime": "2026-11-01T12:00:00.250000Z"}
    assert wanted == found["spec"]


def test_a_tenure_ends() -> None:
    """None before the first renewal, none after its end, and none when it is ended."""
    now = SEEN
    tenure = Tenure(lambda: now)
    assert tenure.left() == 0
    tenure.until = SEEN + 10
    assert tenure.left() == 10
    now += 11
    assert tenure.left() == 0
    now = SEEN
    tenure.end()
    assert tenure.left() == 0


ACCOUNT = {"username": "system:serviceaccount:team-a:operator", "uid": "a1"}


@pytest.mark.parametrize(
    ("user", "owned"),
    [
        (ACCOUNT, True),
        (ACCOUNT | {"username": "system:serviceaccount:team-b:operator"}, False),
        (ACCOUNT | {"uid": ""}, False),
        ({"username": "system:admin", "uid": "a1"}, False),
        ({"username": "system:serviceaccount:team-a", "uid": "a1"}, False),
        ({}, False),
    ],
)
def test_a_new_lease_goes_with_the_account_that_made_it(user: dict[str, Any], *, owned: bool) -> None:
    """And so with the release; one that is there stays whose it is."""
    owner = {"apiVersion": "v1", "kind": "ServiceAccount", "name": "operator", "uid": "a1"}
    owners = lease.owners(user, "team-a")
    assert owners == ([owner] if owned else [])
    made = lease.claimed(NONE, PLACE, "me", TIMING, NOW, owners)["metadata"]
    assert made.get("ownerReferences") == ([owner] if owned else None)
    assert "ownerReferences" not in lease.claimed(OURS, PLACE, "me", TIMING, NOW, [owner])["metadata"]
