"""What is in the Secret, and the time: what to make, what to trust."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from factories import NOW
from typosentinel_operator import certificates, issuing
from typosentinel_operator.certificates import Held, Plan, Signed, bundle

HOSTS = ("sentinel-webhook.system.svc",)


def days(number: float) -> datetime:
    """So many days after NOW, or before it."""
    return NOW + timedelta(days=number)


@dataclass(frozen=True)
class Made:
    """An authority and what it has signed, made so many days ago."""

    authority: Signed
    serving: Signed


def made(authority: float = 0, serving: float | None = None, hosts: tuple[str, ...] = HOSTS) -> Made:
    """Certificates of these ages, in days."""
    signer = issuing.authority(days(-authority))
    return Made(signer, issuing.serving(signer, hosts, days(-(authority if serving is None else serving))))


def held(given: Made, *others: x509.Certificate, serving: Signed | None = None) -> Held:
    """As it comes out of a Secret: written and read."""
    trusted = (given.authority.certificate, *others)
    return certificates.read(certificates.write(given.authority, trusted, serving or given.serving))


def plan(given: Held, published: bytes | None = b"?") -> Plan:
    """What is to be done; by default the API server trusts what is in the Secret."""
    told = bundle(given.trusted) if published == b"?" else published
    return certificates.plan(given, told, HOSTS, NOW)


FRESH, OLD, SPENT = made(), made(250, 10), made(400)
MIXED = Made(FRESH.authority, OLD.serving)

# sentence → (what is held, what is published, new authority, new serving, authorities kept)
TABLE: dict[str, tuple[Held, bytes | None, bool, bool, int]] = {
    "nothing yet": (Held(), None, True, True, 0),
    "all is well": (held(FRESH), b"?", False, False, 1),
    "all is well, but nobody is told to trust it": (held(FRESH), None, False, False, 1),
    "the certificate is past two thirds": (held(made(60)), b"?", False, True, 1),
    "the same, but the API server does not trust us yet": (held(made(60)), b"else", False, False, 1),
    "the certificate has ended": (held(made(91)), None, False, True, 1),
    "the certificate is for another name": (held(made(hosts=("else.svc",))), None, False, True, 1),
    "the certificate is by nobody whom we trust": (held(FRESH, serving=made().serving), None, False, True, 1),
    "the certificate is of the future": (held(made(0, -1)), b"?", False, True, 1),
    "the authority is past two thirds": (held(OLD), b"?", True, False, 1),
    "the authority has ended": (held(SPENT), b"?", True, True, 0),
    "a new authority beside the old one, which has signed": (
        held(FRESH, OLD.authority.certificate, serving=OLD.serving),
        b"?",
        False,
        True,
        2,
    ),
    "the same, but the API server has not heard of the new one": (
        held(FRESH, OLD.authority.certificate, serving=OLD.serving),
        bundle([OLD.authority.certificate]),
        False,
        False,
        2,
    ),
    "an old authority beside ours has ended": (held(FRESH, SPENT.authority.certificate), b"?", False, False, 1),
    "a certificate without authority": (Held(serving=FRESH.serving), None, True, True, 0),
}


@pytest.mark.parametrize("sentence", TABLE)
def test_what_to_do_next(sentence: str) -> None:
    """Trusted before it is served; and for as long as it could be served."""
    given, published, authority, serving, kept = TABLE[sentence]
    found = plan(given, published)
    assert (found.new_authority, found.new_serving, len(found.kept)) == (authority, serving, kept)
    assert bool(found.why) == (authority or serving)


def test_an_authority_outlives_what_it_signs() -> None:
    """Also what it signs on its last day before another one does."""
    last = issuing.AUTHORITY_LIFE * certificates.RENEWED_AFTER.numerator / certificates.RENEWED_AFTER.denominator
    assert last + issuing.SERVING_LIFE < issuing.AUTHORITY_LIFE


ENTRIES = certificates.write(FRESH.authority, [FRESH.authority.certificate], FRESH.serving)
OTHERS = certificates.write(OLD.authority, [OLD.authority.certificate], OLD.serving)
JUNK = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").decode()


@pytest.mark.parametrize("junk", ["", "not base64!", base64.b64encode(b"no PEM").decode(), JUNK])
@pytest.mark.parametrize("key", sorted(ENTRIES))
def test_what_somebody_has_broken_is_as_if_it_were_not_there(key: str, junk: str) -> None:
    """A half is no certificate: it is made anew, and nothing raises."""
    found = certificates.read(ENTRIES | {key: junk})
    authority = key.startswith("ca.")
    assert (found.authority is None, found.serving is None) == (authority, not authority)
    assert plan(found, None).why


def test_a_key_of_another_certificate_is_none() -> None:
    """Nor does anything in a bundle count whose first one is not ours."""
    assert certificates.read(ENTRIES | {"ca.key": OTHERS["ca.key"]}).trusted == ()
    assert certificates.read(ENTRIES | {"tls.key": OTHERS["tls.key"]}).serving is None
    swapped = ENTRIES | {"ca.crt": ENTRIES["tls.crt"], "ca.key": ENTRIES["tls.key"]}
    assert certificates.read(swapped).authority is None


def test_what_is_signed_stands_a_strict_client() -> None:
    """As RFC 5280 has it, for names and for addresses."""
    store = Store([FRESH.authority.certificate])
    served = made(hosts=(*HOSTS, "127.0.0.1")).serving
    assert certificates.plan(held(FRESH), None, HOSTS, NOW).why == ""
    subject = x509.DNSName(HOSTS[0])
    PolicyBuilder().store(store).time(NOW).build_server_verifier(subject).verify(FRESH.serving.certificate, [])
    names = served.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
