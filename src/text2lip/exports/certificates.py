"""Who signs what is made: the user's own certificate, or a local one that is made on first use."""

import datetime
import os
import re
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from text2lip.exports.provenance import MarkWarning
from text2lip.files import replaced_file


LOCAL_NAME = "text2lip local certificate"
ENVIRONMENT = "TEXT2LIP_CERTIFICATE"
FILE_NAME = "certificate.pem"
YEARS = 10
PEM_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\s*", re.DOTALL)
PEM_CHAIN = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\s*", re.DOTALL)


@dataclass(frozen=True)
class SigningIdentity:
    """A private key with the certificates that tell whose it is.

    Attributes:
        key (`bytes`): PEM.
        chain (`bytes`): PEM, the key's own certificate first.
        algorithm (`str`): as C2PA names it: "es256", "es384", "es512", "ps256" or "ed25519".
        expires (`datetime.datetime`): of the first certificate, UTC.
        owner (`str`): the common name in it, or "".
    """

    key: bytes = field(repr=False)
    chain: bytes
    algorithm: str
    expires: datetime.datetime
    owner: str

    @classmethod
    def of(cls, pem: bytes, name: str) -> "SigningIdentity":
        """Of a PEM file that holds both; `name` is that of the file, for errors.

        Raises:
            ValueError: there is no key or no certificate, the key has a password, isn't the certificate's, or is of a
                kind that C2PA doesn't take.
            ImportError: `cryptography` is not installed.
        """
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key, chain = PEM_KEY.search(pem), b"".join(PEM_CHAIN.findall(pem))
        if key is None or not chain:
            missing = "private key" if key is None else "certificate"
            raise ValueError(
                f"certificate: {name} holds no {missing}; wants a PEM file with the private key, its certificate and "
                "those that vouch for it."
            )
        try:
            private = load_pem_private_key(key[0], None)
            leaf = x509.load_pem_x509_certificates(chain)[0]
            fits = private.public_key() == leaf.public_key()
        except (TypeError, ValueError, UnsupportedAlgorithm) as error:  # TypeError: it has a password
            wanted = "give a key of P-256, RSA or Ed25519 without a password"
            raise ValueError(f"certificate: {name} can't be read ({error}); {wanted}.") from error
        if not fits:
            raise ValueError(f"certificate: in {name} the first certificate isn't the private key's; put it first.")
        if isinstance(private, ec.EllipticCurvePrivateKey):
            curves = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
            algorithm = curves.get(private.curve.name)
        else:
            algorithm = {rsa.RSAPrivateKey: "ps256", ed25519.Ed25519PrivateKey: "ed25519"}
            algorithm = next((name for kind, name in algorithm.items() if isinstance(private, kind)), None)
        if algorithm is None:
            raise ValueError(f"certificate: {name} has a key that C2PA doesn't take; wants P-256, RSA or Ed25519.")
        names = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return cls(key[0], chain, algorithm, leaf.not_valid_after_utc, str(names[0].value) if names else "")


def config_folder() -> Path:
    """`$TEXT2LIP_CONFIG`, or text2lip in the folder of the user's settings; need not exist."""
    if named := os.environ.get("TEXT2LIP_CONFIG"):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home()) / "text2lip"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "text2lip"


def signing_identity(certificate: str | os.PathLike | None = None) -> SigningIdentity:
    """The user's certificate, else the local one, which is made on first use; that is told by a [`MarkWarning`].

    Args:
        certificate (`str`, *optional*): PEM file with the private key, its certificate and those that vouch for it; by
            default that which `$TEXT2LIP_CERTIFICATE` names.

    Raises:
        ValueError: the user's can't be read or used, or one that isn't local lies in the local one's place.
        ImportError: `cryptography` is not installed.
    """
    chosen = certificate or os.environ.get(ENVIRONMENT)
    if not chosen:
        return _local_identity(config_folder() / FILE_NAME)
    try:
        pem = Path(chosen).read_bytes()
    except (OSError, ValueError) as error:
        raise ValueError(f"certificate: {os.fspath(chosen)!r} can't be read ({error}); give a PEM file.") from error
    return SigningIdentity.of(pem, repr(os.fspath(chosen)))


def _local_identity(path: Path) -> SigningIdentity:
    now = datetime.datetime.now(datetime.UTC)
    try:
        if kept := _kept_identity(path, now):
            return kept
        unread = None
    except OSError as error:
        unread = error
    pem = _new_pem(now)
    made = f"a local certificate was made in {path}, once"
    if unkept := unread or _keep(pem, path):
        why = getattr(unkept, "strerror", None) or unkept
        made = f"{path} can't be kept ({why}), so a certificate was made for this file alone"
    told = "nobody vouches for it: it shows that a file wasn't changed since, not who made it"
    warnings.warn(f"C2PA: {made}; {told}.", MarkWarning, stacklevel=2)
    return SigningIdentity.of(pem, repr(str(path)))


def _keep(pem: bytes, path: Path) -> Exception | None:
    """Write the local certificate where it is looked for; returns what prevents it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replaced_file(path, "certificate", mode=0o600) as temporary:
            temporary.write_bytes(pem)
    except (OSError, ValueError) as error:
        return error
    return None


def _kept_identity(path: Path, now: datetime.datetime) -> SigningIdentity | None:
    """The local identity; None where it isn't there yet or has expired, so that another may take its place.

    Raises:
        ValueError: a file of somebody else lies there, whose key would be lost.
        OSError: it can't be read, which doesn't mean that it isn't there.
    """
    try:
        known = SigningIdentity.of(path.read_bytes(), repr(str(path)))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"{error} Or remove it from there: a local certificate is then made.") from error
    if known.expires > now:
        return known
    if known.owner != LOCAL_NAME:
        expired = f"expired on {known.expires:%Y-%m-%d}"
        raise ValueError(
            f"certificate: {str(path)!r} {expired}; give another, or remove it: a local one is then made."
        )
    return None


def _new_pem(now: datetime.datetime) -> bytes:
    """A key with its certificate, and that of an issuer whose own key is thrown away: C2PA takes no certificate that
    signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    issuer_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    common, company = x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME
    nobody = x509.NameAttribute(company, "nobody vouches for it")
    names = [x509.Name([x509.NameAttribute(common, name), nobody]) for name in (f"{LOCAL_NAME} issuer", LOCAL_NAME)]
    uses = ("digital_signature", "key_cert_sign", "crl_sign", "content_commitment", "key_encipherment")
    uses += ("data_encipherment", "key_agreement", "encipher_only", "decipher_only")

    def certificate(name: x509.Name, of: ec.EllipticCurvePrivateKey, issues: bool) -> bytes:
        allowed = ("key_cert_sign", "crl_sign") if issues else ("digital_signature",)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = (
            x509.CertificateBuilder(names[0], name, of.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))  # clocks differ
            .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
            .add_extension(x509.BasicConstraints(issues, None), critical=True)
            .add_extension(x509.KeyUsage(**{use: use in allowed for use in uses}), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(of.public_key()), critical=False)
            .add_extension(authority, critical=False)
        )
        if not issues:
            use = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])  # what C2PA wants of a signer
            builder = builder.add_extension(use, critical=False)
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(Encoding.PEM)

    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate(names[1], key, False) + certificate(names[0], issuer_key, True)
