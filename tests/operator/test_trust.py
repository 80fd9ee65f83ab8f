"""The leader's care for certificates: what it writes to the Secret and to the configuration, and when nothing."""

import base64
from datetime import timedelta
from typing import Any

import pytest

import factories
from typosentinel_operator import certificates, names
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.trust import Trust

Manifest = dict[str, Any]

PLACE = ("system", "sentinel-webhook")
HOSTS = ("sentinel-webhook.system.svc",)


class Objects(Cluster):
    """One Secret and one configuration, which are applied to.

    Attributes:
        secret: its data, or None where it is not there.
        bundles: what each webhook of the configuration trusts, or None where the configuration is not there.
        writes: kinds that were written.
    """

    def __init__(self) -> None:
        self.secret: dict[str, str] | None = None
        self.bundles: list[str] | None = [""]
        self.writes: list[str] = []

    async def get(self, kind: names.Kind, namespace: str | None, name: str, *, seconds: float = 0) -> Manifest | None:
        """The one or the other."""
        assert not seconds
        if kind == names.SECRET:
            assert (namespace, name) == PLACE
            return None if self.secret is None else {"metadata": {"uid": "s"}, "data": self.secret}
        assert (kind, namespace, name) == (names.WEBHOOK_CONFIGURATION, None, "sentinel-webhook")
        if self.bundles is None:
            return None
        webhooks = [
            {"name": f"{n}.example", "clientConfig": {"caBundle": found} if found else {}}
            for n, found in enumerate(self.bundles)
        ]
        return {"metadata": {"name": name, "uid": "u"}, "webhooks": webhooks}

    async def apply(
        self,
        kind: names.Kind,
        manifest: Manifest,
        present: Manifest | None,
        *,
        manager: str = "",
        unchanged: bool = False,
    ) -> Manifest:
        """Take what is applied to the object that was read, and to no other."""
        assert manager == names.CERTIFICATE_MANAGER
        # A write that comes late must not take away what the next leader has made.
        assert unchanged
        self.writes.append(kind.name)
        if kind == names.SECRET:
            assert (present is None) == (self.secret is None)
            self.secret = dict(manifest["data"])
        else:
            assert present is not None
            assert present["metadata"]["uid"] == "u"
            self.bundles = [one["clientConfig"]["caBundle"] for one in manifest["webhooks"]]
        return manifest


class Kept:
    """A Trust, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.cluster = Objects()
        self.now = factories.NOW
        self.trust = Trust(self.cluster, PLACE, "sentinel-webhook", HOSTS, lambda: self.now)

    async def look(self, *, days: float = 0) -> list[str]:
        """Look so many days later; returns what was written."""
        self.now += timedelta(days=days)
        self.cluster.writes.clear()
        await self.trust.keep()
        return list(self.cluster.writes)

    @property
    def held(self) -> certificates.Held:
        """What the Secret holds."""
        return certificates.read(self.cluster.secret or {})

    @property
    def trusted(self) -> list[bytes]:
        """What the webhooks' callers trust."""
        return [base64.b64decode(found) for found in self.cluster.bundles or []]

    def serves_whom_they_trust(self) -> bool:
        """Whether a handshake would succeed."""
        serving = self.held.serving
        assert serving is not None
        issuers = [one for one in self.held.trusted if certificates.bundle([one]) in self.trusted[0]]
        return any(certificates._issued_by(serving.certificate, one) for one in issuers)


@pytest.fixture
def kept() -> Kept:
    """A release that has just been installed."""
    return Kept()


async def test_a_new_release_has_certificates_after_one_look_and_then_nothing_is_written(kept: Kept) -> None:
    """At rest the audit log is silent."""
    assert await kept.look() == ["Secret", "ValidatingWebhookConfiguration"]
    assert kept.trusted == [certificates.bundle(kept.held.trusted)]
    assert kept.serves_whom_they_trust()
    for _ in range(3):
        assert await kept.look(days=1) == []


async def test_a_bundle_that_an_upgrade_has_taken_away_is_there_again(kept: Kept) -> None:
    """One write, and not to the Secret; also where there are several webhooks and one of them is changed."""
    await kept.look()
    for lost in ([""], ["AAAA"], ["no base64"], [*(kept.cluster.bundles or []), ""]):
        kept.cluster.bundles = list(lost)
        assert await kept.look() == ["ValidatingWebhookConfiguration"]
        assert set(kept.trusted) == {certificates.bundle(kept.held.trusted)}
        assert await kept.look() == []


async def test_without_a_configuration_certificates_are_made_all_the_same(kept: Kept) -> None:
    """It may come later, and nothing is made in its place."""
    kept.cluster.bundles = None
    assert await kept.look() == ["Secret"]
    assert await kept.look() == []


async def test_a_secret_that_was_deleted_or_replaced_is_made_anew(kept: Kept) -> None:
    """With another authority: deleting it is how one takes trust away."""
    await kept.look()
    before = kept.held.trusted
    for broken in (None, {}, {"tls.crt": "AAAA", "tls.key": "AAAA", "ca.crt": "AAAA"}):
        kept.cluster.secret = broken
        assert await kept.look() == ["Secret", "ValidatingWebhookConfiguration"]
        assert not set(before) & set(kept.held.trusted)
        assert kept.serves_whom_they_trust()


async def test_in_two_years_of_looks_nobody_meets_what_he_does_not_trust(kept: Kept) -> None:
    """Certificates and authorities are renewed, ended ones are dropped, and writes are few."""
    await kept.look()
    writes = 0
    authorities = set(kept.held.trusted)
    for _ in range(2 * 365 // 3):
        written = await kept.look(days=3)
        writes += len(written)
        authorities |= set(kept.held.trusted)
        assert kept.serves_whom_they_trust()
        assert len(kept.held.trusted) <= 2
        serving = kept.held.serving
        assert serving is not None
        assert serving.certificate.not_valid_after_utc > kept.now + timedelta(days=20)
    assert len(authorities) == 3
    # A dozen certificates; and for each of two authorities one write of the Secret when it comes, one when the one
    # before it ends, and two of the configuration.
    assert 12 <= writes <= 24
