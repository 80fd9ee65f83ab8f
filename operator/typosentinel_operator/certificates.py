"""The webhook's certificates: what a Secret holds, and what has to be made or trusted next. Pure.

An authority of our own signs the certificate that the webhook serves with; the API server trusts a bundle of
authorities. What comes anew is trusted before it is served, and what was served before is trusted for as long as it
could be: at no moment does the API server meet a certificate that it does not know.
"""

import base64
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Certificate

from typosentinel_operator import names

# Of a certificate's life; what is left of it is the time in which renewing may fail.
RENEWED_AFTER: Final = Fraction(2, 3)
_PEM: Final = serialization.Encoding.PEM
# What the library raises over what it can't read; the Secret may hold anything.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate with its private key."""

    certificate: Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Held:
    """What of a Secret can be used.

    Attributes:
        authority: who signs; None where there is none, or its parts do not belong together.
        trusted: the bundle, the authority's own certificate first.
        serving: what the webhook serves with; None as above.
    """

    authority: Signed | None = None
    trusted: tuple[Certificate, ...] = ()
    serving: Signed | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do next.

    Attributes:
        new_authority: make a new authority.
        new_serving: make a new certificate to serve with.
        kept: authorities that go on being trusted.
        why: for the log; empty: nothing is to be made.
    """

    new_authority: bool
    new_serving: bool
    kept: tuple[Certificate, ...]
    why: str = ""


def read(data: Mapping[str, str]) -> Held:
    """What the `data` of a Secret hold, whoever wrote them."""
    trusted = _certificates(data.get(names.AUTHORITY_CERTIFICATES_KEY, ""))
    authority = _signed(trusted, data.get(names.AUTHORITY_PRIVATE_KEY, ""))
    served = _certificates(data.get(names.SERVING_CERTIFICATE_KEY, ""))
    if authority is None or not _is_authority(authority.certificate):
        # Nothing vouches for the others in the bundle.
        return Held(serving=_signed(served, data.get(names.SERVING_PRIVATE_KEY, "")))
    others = tuple(one for one in trusted[1:] if _is_authority(one))
    return Held(authority, (authority.certificate, *others), _signed(served, data.get(names.SERVING_PRIVATE_KEY, "")))


def write(authority: Signed, trusted: Sequence[Certificate], serving: Signed) -> dict[str, str]:
    """The `data` of the Secret."""
    parts = {
        names.AUTHORITY_CERTIFICATES_KEY: bundle(trusted),
        names.AUTHORITY_PRIVATE_KEY: _private(authority),
        names.SERVING_CERTIFICATE_KEY: serving.certificate.public_bytes(_PEM),
        names.SERVING_PRIVATE_KEY: _private(serving),
    }
    return {key: base64.b64encode(value).decode() for key, value in parts.items()}


def bundle(trusted: Sequence[Certificate]) -> bytes:
    """Certificates in the form that a `caBundle` holds, PEM."""
    return b"".join(one.public_bytes(_PEM) for one in trusted)


def plan(held: Held, published: bytes | None, hosts: Sequence[str], now: datetime) -> Plan:
    """What to do next.

    Args:
        held: what there is.
        published: the bundle that the API server has been told to trust; None: none.
        hosts: names and addresses at which the webhook is reached.
        now: the time, with zone.
    """
    kept = tuple(one for one in held.trusted if now < one.not_valid_after_utc)
    trouble = _serving_trouble(held.serving, kept, hosts, now)
    authority = held.authority
    if authority is None or authority.certificate not in kept or _aged(authority.certificate, now):
        # What is served stays for now, if somebody is trusted who has signed it: the new one is not known yet.
        why = "there is no usable authority" if authority is None else "the authority is to be renewed"
        return Plan(new_authority=True, new_serving=bool(trouble), kept=kept, why=why)
    serving = held.serving
    if trouble or serving is None:
        return Plan(new_authority=False, new_serving=True, kept=kept, why=trouble)
    due = _aged(serving.certificate, now) or not _issued_by(serving.certificate, authority.certificate)
    if due and published == bundle(kept):
        return Plan(new_authority=False, new_serving=True, kept=kept, why="the certificate is to be renewed")
    return Plan(new_authority=False, new_serving=False, kept=kept)


def _serving_trouble(
    serving: Signed | None, trusted: Sequence[Certificate], hosts: Sequence[str], now: datetime
) -> str:
    """Why nobody should be served with it any more; empty: it is good."""
    if serving is None:
        return "there is no usable certificate"
    certificate = serving.certificate
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        return "the certificate is not valid now"
    if not any(_issued_by(certificate, one) for one in trusted):
        return "the certificate is by nobody whom we trust"
    if not _hosts_of(certificate).issuperset(hosts):
        return "the certificate is for other names"
    return ""


def _aged(certificate: Certificate, now: datetime) -> bool:
    """Whether it is time for another one; so it is where a clock that was wrong has made it."""
    begins = certificate.not_valid_before_utc
    life = certificate.not_valid_after_utc - begins
    return not begins <= now < begins + life * RENEWED_AFTER.numerator / RENEWED_AFTER.denominator


def _issued_by(certificate: Certificate, authority: Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _hosts_of(certificate: Certificate) -> set[str]:
    try:
        names_of = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except _UNREADABLE:
        return set()
    addresses = names_of.get_values_for_type(x509.IPAddress)
    return {*names_of.get_values_for_type(x509.DNSName), *(str(address) for address in addresses)}


def _is_authority(certificate: Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except _UNREADABLE:
        return False


def _certificates(encoded: str) -> list[Certificate]:
    try:
        return x509.load_pem_x509_certificates(base64.b64decode(encoded, validate=True))
    except _UNREADABLE:
        return []


def _signed(certificates: Sequence[Certificate], encoded_key: str) -> Signed | None:
    """The first certificate with the key, where they belong together."""
    try:
        key = serialization.load_pem_private_key(base64.b64decode(encoded_key, validate=True), password=None)
    except _UNREADABLE:
        return None
    if not certificates or not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    return Signed(certificates[0], key) if certificates[0].public_key() == key.public_key() else None


def _private(signed: Signed) -> bytes:
    return signed.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def alternative_names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    """Names and addresses as a certificate has them."""
    return x509.SubjectAlternativeName([_general_name(host) for host in hosts])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
