"""What a Lease says and what follows from it. Who reads and writes it, and the clocks, are elsewhere.

Whether a Lease has run out is judged as client-go does it: by our own monotonic clock, from the moment at which we saw
it change. The times within it are for people; clocks of machines differ.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

from typosentinel_operator import names

Manifest = dict[str, Any]

# In a Lease that was given back; its holder is nobody, so nobody waits for it to run out.
RELEASED_SECONDS: Final = 1
# What stands before namespace and name of a ServiceAccount in the name of a user.
_ACCOUNT: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Timing:
    """The three times of an election, in seconds: duration > deadline > retry.

    Attributes:
        duration: how long others wait for a holder that is silent.
        deadline: how long a holder goes on without a renewal.
        retry: between two looks or renewals.
    """

    duration: int
    deadline: float
    retry: float


@dataclass(slots=True)
class Tenure:
    """Until when we may write, in monotonic seconds.

    It is counted from the moment at which the last renewal was sent, so it is over before the time of those who have
    seen that renewal arrive.

    Attributes:
        clock: monotonic seconds.
        until: its end.
    """

    clock: Callable[[], float]
    until: float = -math.inf

    def left(self) -> float:
        """Seconds that are left; none when it is over."""
        return max(0.0, self.until - self.clock())

    def end(self) -> None:
        """End it now."""
        self.until = -math.inf


@dataclass(frozen=True, slots=True)
class Sight:
    """A Lease as one process has seen it.

    Attributes:
        lease: the object, or None where there was none at the last look.
        spec: what it said last; where it has been deleted, what it said before.
        since: when it was first seen to say that, in monotonic seconds.
    """

    lease: Manifest | None
    spec: Manifest
    since: float

    @property
    def holder(self) -> str:
        """Who holds it, or held it last; empty: nobody."""
        return self.spec.get("holderIdentity") or ""

    def ends(self, timing: Timing) -> float:
        """When it runs out by what its holder has promised, in monotonic seconds."""
        return self.since + (self.spec.get("leaseDurationSeconds") or timing.duration)


class Action(Enum):
    """What to do next about a Lease."""

    CLAIM = auto()
    WAIT = auto()
    GIVE_UP = auto()


def see(before: Sight | None, lease: Manifest | None, now: float) -> Sight:
    """What is known after a look: `now` counts only where something has changed."""
    if lease is None:
        # Somebody deleted it, and its holder does not know yet. Who has seen it waits as if it were there.
        return Sight(None, before.spec, before.since) if before else Sight(None, {}, now)
    spec = lease.get("spec") or {}
    unchanged = before is not None and before.spec == spec
    return Sight(lease, spec, before.since if before is not None and unchanged else now)


def decide(sight: Sight, me: str, timing: Timing, now: float, *, leading: bool) -> Action:
    """What to do: a leader renews or gives up, the others take what is free or has run out."""
    # A process that was restarted under its name holds what it held before.
    if sight.holder == me:
        return Action.CLAIM
    if leading:
        return Action.GIVE_UP
    free = not sight.holder or now >= sight.ends(timing)
    return Action.CLAIM if free else Action.WAIT


def pause(sight: Sight | None, timing: Timing, now: float) -> float:
    """Seconds until another look is worth it: the usual ones, or fewer where the Lease runs out before."""
    if sight is None or not sight.holder:
        return timing.retry
    left = sight.ends(timing) - now
    return min(timing.retry, left) if left > 0 else timing.retry


def owners(user: Manifest, namespace: str) -> list[Manifest]:
    """Owner references of a Lease made by this user: its ServiceAccount, so that it goes when the release goes.

    Args:
        user: as whom the API server knows us (`userInfo`).
        namespace: of the Lease; nobody in another one can own it.
    """
    where, _, name = str(user.get("username", "")).removeprefix(_ACCOUNT).partition(":")
    if where != namespace or not name or not user.get("uid"):
        return []
    kind = names.SERVICE_ACCOUNT
    return [{"apiVersion": kind.api_version, "kind": kind.name, "name": name, "uid": user["uid"]}]


def claimed(
    sight: Sight, place: tuple[str, str], me: str, timing: Timing, now: datetime, owned_by: Sequence[Manifest] = ()
) -> Manifest:
    """The Lease at `place` (namespace, name) as it is to be, held by us from `now` on; a new one is owned by these."""
    time = _time(now)
    spec = sight.spec | {"holderIdentity": me, "leaseDurationSeconds": timing.duration, "renewTime": time}
    if sight.holder != me:
        # The first holder is no transition.
        spec["leaseTransitions"] = (sight.spec.get("leaseTransitions") or 0) + 1 if sight.spec else 0
        spec["acquireTime"] = time
    if sight.lease is not None:
        return sight.lease | {"spec": spec}
    namespace, name = place
    return {
        "apiVersion": names.LEASE.api_version,
        "kind": names.LEASE.name,
        "metadata": {"name": name, "namespace": namespace} | ({"ownerReferences": [*owned_by]} if owned_by else {}),
        "spec": spec,
    }


def released(lease: Manifest, now: datetime) -> Manifest:
    """A Lease of ours as it is given back: held by nobody, so that the next one takes it at once."""
    free = {"holderIdentity": "", "leaseDurationSeconds": RELEASED_SECONDS, "renewTime": _time(now)}
    return lease | {"spec": lease["spec"] | free}


def _time(now: datetime) -> str:
    return now.isoformat(timespec="microseconds").replace("+00:00", "Z")
