"""Tokens of the scanners' administrative port: each made once, kept in a Secret, and never read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from typosentinel_operator import names
from typosentinel_operator.apply import Applied, Change
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.desired import admintoken
from typosentinel_operator.desired.inputs import Inputs
from typosentinel_operator.errors import Refused
from typosentinel_operator.names import Reason

log = structlog.get_logger(__name__)
# Between two questions. A Secret that somebody deleted is back at the next look after that.
OFFER_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Offer:
    uid: str
    at: datetime
    refused: bool


@dataclass(slots=True)
class Tokens:
    """Offers a Secret with a new token for every ScanService; the API server takes it where there is none.

    So the right to create Secrets is enough, and none to read them is asked for. What is remembered dies with the
    process, which costs one request.

    Attributes:
        make: makes a token that nobody guesses.
    """

    make: Callable[[], str]
    _offers: dict[tuple[str, str], _Offer] = field(default_factory=dict)

    async def ensure(self, cluster: Cluster, inputs: Inputs, now: datetime, applied: Applied) -> bool:
        """See to it that the Secret is there.

        Args:
            cluster: where it belongs.
            inputs: of the ScanService.
            now: the time.
            applied: takes up what was done. A refusal is told once, and stops nothing: scans need no token.

        Returns:
            Whether it was made now.

        Raises:
            ClusterError: try again.
        """
        key = (inputs.namespace, inputs.name)
        last = self._offers.get(key)
        if last is not None and last.uid == inputs.uid and (now - last.at).total_seconds() < OFFER_SECONDS:
            return False
        name = names.admin_secret_name(inputs.name)
        known = last is not None and last.uid == inputs.uid
        # One that is known is asked after: an offer at every look would be a write in audit logs, and none in truth.
        if known and await cluster.taken(names.SECRET, inputs.namespace, name):
            self._offers[key] = _Offer(inputs.uid, now, refused=False)
            return False
        try:
            made = await cluster.offer(names.SECRET, admintoken.secret(inputs, self.make())) is not None
        except Refused as error:
            self._offers[key] = _Offer(inputs.uid, now, refused=True)
            if not known or (last is not None and not last.refused):
                log.warning("admin token refused", name=name, namespace=inputs.namespace, error=str(error))
                message = (
                    f"The API server refuses Secret {name}, without which there is no administrative port: {error}"
                )
                applied.changes.append(Change(Reason.ADMIN_TOKEN_REFUSED, message, bad=True))
            return False
        self._offers[key] = _Offer(inputs.uid, now, refused=False)
        if made:
            log.info("child created", kind=names.SECRET.name, name=name, namespace=inputs.namespace)
            applied.changes.append(Change(Reason.CHILD_CREATED, f"{names.SECRET.name} {name} was created"))
        return made

    def forget(self, namespace: str, scan_service: str) -> None:
        """Drop what is remembered of a ScanService that is no more."""
        self._offers.pop((namespace, scan_service), None)
