"""Children that can't be made right in place, because what is wrong with them never changes: deleted, to be made anew.

A manual edit can't bring that about, but an older version of the operator, a backup, or somebody who has replaced the
object can. Nothing is deleted before the API server has accepted another one on trial, and nothing that is younger
than RECREATE_SECONDS: whoever makes the object wrong again and again, the scanners are taken away no more often.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import structlog

from typosentinel_operator import drift
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.errors import ClusterError, Permanent, Refused
from typosentinel_operator.names import Kind, Reason

Manifest = dict[str, Any]
log = structlog.get_logger(__name__)

RECREATE_SECONDS: Final = 30.0


async def clear_the_way(
    cluster: Cluster, kind: Kind, manifest: Manifest, present: Manifest, now: datetime
) -> tuple[str, bool]:
    """Delete a child of ours that has to be made anew.

    Args:
        cluster: where it lives.
        kind: its kind.
        manifest: what it should be.
        present: the child; `drift.unchangeable` has something to say about it.
        now: the time, with zone.

    Returns:
        A sentence about it, and whether the name is free already; otherwise the garbage collector has to let go first.

    Raises:
        Permanent: it has to stay for the moment: it is too young, or another one would be refused or be no better.
        ClusterError: try again.
    """
    what = f"{kind.name} {manifest['metadata']['name']}"
    if "deletionTimestamp" in present["metadata"]:
        raise ClusterError(f"{what} is being deleted, to be made anew")
    fields = drift.unchangeable(manifest, present)
    named = ", ".join(fields)
    left = RECREATE_SECONDS - (now - datetime.fromisoformat(present["metadata"]["creationTimestamp"])).total_seconds()
    if left > 0:
        raise Permanent(
            Reason.CHILD_UNCHANGEABLE,
            f"{what} has another {named}, which can't be changed; it is deleted and made anew when it is "
            f"{RECREATE_SECONDS:g} s old. If it comes to that again and again, find out who else makes it",
        )
    await _try_out(cluster, kind, manifest, fields)
    orphaned = drift.hands_on(manifest, present)
    await cluster.delete(kind, present, "Orphan" if orphaned else "Background")
    log.warning("child deleted, to be made anew", what=what, namespace=manifest["metadata"]["namespace"], fields=named)
    pods = "; its pods go on until others have taken their place" if orphaned else ""
    return f"{what} had another {named}, which can't be changed, and was deleted to be made anew{pods}", not orphaned


async def _try_out(cluster: Cluster, kind: Kind, manifest: Manifest, fields: Sequence[str]) -> None:
    """See to it that a new one would be accepted, and be better, before the old one is given up."""
    what = f"{kind.name} {manifest['metadata']['name']} has another {', '.join(fields)}, which can't be changed"
    try:
        made = await cluster.try_out(kind, manifest)
    except Refused as error:
        raise Permanent(
            Reason.APPLY_REFUSED, f"{what}, and stays because the API server would refuse a new one: {error}"
        ) from error
    if drift.unchangeable(manifest, made):
        message = f"{what}, and stays because admission would make a new one the same: find the policy or webhook"
        raise Permanent(Reason.APPLY_REFUSED, message)
