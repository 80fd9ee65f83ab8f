"""Tokens of the administrative port."""

import base64
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol, cast

import pytest

import factories
from typosentinel_operator import names
from typosentinel_operator.apply import Applied
from typosentinel_operator.errors import ClusterError, Refused
from typosentinel_operator.names import Reason
from typosentinel_operator.tokens import OFFER_SECONDS, Tokens

if TYPE_CHECKING:
    from typosentinel_operator.cluster import Cluster

Manifest = dict[str, Any]
NOW = factories.NOW


class Store:
    """Takes what is offered, unless it has it or has trouble."""

    def __init__(self) -> None:
        self.kept: dict[str, Manifest] = {}
        self.offers = 0
        self.questions = 0
        self.trouble: ClusterError | None = None

    async def offer(self, kind: names.Kind, manifest: Manifest) -> Manifest | None:
        """The manifest where it was taken."""
        assert kind == names.SECRET
        self.offers += 1
        if self.trouble is not None:
            raise self.trouble
        name = manifest["metadata"]["name"]
        if name in self.kept:
            return None
        self.kept[name] = manifest
        return manifest

    async def taken(self, kind: names.Kind, namespace: str, name: str) -> bool | None:
        """Whether it has one; None where it has trouble."""
        assert (kind, namespace) == (names.SECRET, "team-a")
        self.questions += 1
        return name in self.kept if self.trouble is None else None


class Ensure(Protocol):
    """The call under test, so many seconds after now."""

    async def __call__(self, seconds: float, **changes: Any) -> tuple[bool, list[tuple[str, bool]]]:
        """Whether a Secret was made now, and the changes that were told, as (reason, bad)."""


def made() -> tuple[Store, Tokens, Ensure]:
    """A store, the tokens, and the call under test."""
    store, numbers = Store(), count()
    tokens = Tokens(lambda: f"token-{next(numbers)}")

    async def ensure(seconds: float, **changes: Any) -> tuple[bool, list[tuple[str, bool]]]:
        applied = Applied()
        at = NOW + timedelta(seconds=seconds)
        now = await tokens.ensure(cast("Cluster", store), factories.inputs(**changes), at, applied)
        return now, [(change.reason, change.bad) for change in applied.changes]

    return store, tokens, ensure


async def test_a_token_is_made_once_and_stays() -> None:
    """However often one looks."""
    store, _, ensure = made()
    assert await ensure(0) == (True, [(Reason.CHILD_CREATED, False)])
    assert await ensure(OFFER_SECONDS) == (False, [])
    secret = store.kept["front-scanner-admin"]
    assert base64.b64decode(secret["data"]["token"]) == b"token-0"
    assert [owner["uid"] for owner in secret["metadata"]["ownerReferences"]] == [factories.UID]
    assert "annotations" not in secret["metadata"]
    assert "immutable" not in secret


async def test_questions_have_a_pause_between_them() -> None:
    """A fleet that settles is looked at every second, and its Secret is there; nothing more is offered."""
    store, _, ensure = made()
    for second in range(int(OFFER_SECONDS)):
        await ensure(second)
    assert (store.offers, store.questions) == (1, 0)
    await ensure(OFFER_SECONDS)
    await ensure(OFFER_SECONDS + 1)
    assert (store.offers, store.questions) == (1, 1)


async def test_a_deleted_token_is_made_anew() -> None:
    """So it is rotated."""
    store, _, ensure = made()
    await ensure(0)
    store.kept.clear()
    assert await ensure(OFFER_SECONDS) == (True, [(Reason.CHILD_CREATED, False)])
    assert base64.b64decode(store.kept["front-scanner-admin"]["data"]["token"]) == b"token-1"


@pytest.mark.parametrize("forgotten", [True, False])
async def test_a_scan_service_made_anew_does_not_wait(*, forgotten: bool) -> None:
    """It is another one, though of the same name."""
    store, tokens, ensure = made()
    await ensure(0)
    store.kept.clear()
    if forgotten:
        tokens.forget("team-a", "front")
    assert (await ensure(1, uid="another"))[0]


async def test_a_refusal_is_told_once_and_stops_nothing() -> None:
    """Scans need no token."""
    store, _, ensure = made()
    store.trouble = Refused("exceeded quota", status=403)
    assert await ensure(0) == (False, [(Reason.ADMIN_TOKEN_REFUSED, True)])
    assert await ensure(OFFER_SECONDS) == (False, [])
    store.trouble = None
    assert await ensure(2 * OFFER_SECONDS) == (True, [(Reason.CHILD_CREATED, False)])


async def test_an_api_server_that_is_away_is_asked_again_at_once() -> None:
    """Nothing is remembered of a question without an answer."""
    store, _, ensure = made()
    store.trouble = ClusterError("no answer")
    with pytest.raises(ClusterError):
        await ensure(0)
    store.trouble = None
    assert (await ensure(1))[0]
