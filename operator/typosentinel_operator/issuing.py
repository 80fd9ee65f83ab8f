"""Makes the webhook's authority and the certificates that it signs; what and when is decided in `certificates`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from typosentinel_operator.certificates import Signed, alternative_names

AUTHORITY_LIFE: Final = timedelta(days=365)
# Less than what is left of an authority's life when it is renewed: who signs lives as long as what was signed.
SERVING_LIFE: Final = timedelta(days=90)
# Clocks of machines differ.
_BACKDATED: Final = timedelta(minutes=5)
_AUTHORITY: Final = "typosentinel webhook authority"
_SERVING: Final = "typosentinel webhook"


def authority(now: datetime) -> Signed:
    """A new authority, trusted by nobody yet."""
    key = ec.generate_private_key(ec.SECP256R1())
    built = (
        _begun(_AUTHORITY, _AUTHORITY, key, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Signed(built.sign(key, hashes.SHA256()), key)


def serving(issuer: Signed, hosts: Sequence[str], now: datetime) -> Signed:
    """A new certificate for these names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    known = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    built = (
        _begun(_SERVING, _AUTHORITY, key, now, SERVING_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(known, critical=False)
        .add_extension(alternative_names(hosts), critical=False)
    )
    return Signed(built.sign(issuer.key, hashes.SHA256()), key)


def _begun(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
