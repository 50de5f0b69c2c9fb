"""A private CA as a company has one: no key identifiers, no key usage, which Go's clients take."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "registry.test"  # beside 127.0.0.1


@dataclass(frozen=True)
class PrivateCa:
    """Files in PEM."""

    ca: Path  # what is to be believed
    certificate: Path  # of a server at `NAME` and 127.0.0.1, signed by it
    key: Path  # of the server

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def private_ca(folder: Path) -> PrivateCa:
    """Made now, in a folder that is made too."""
    folder.mkdir(parents=True, exist_ok=True)
    made = PrivateCa(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("private CA", ca_key, "private CA").add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    names = [x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = _certificate("server", key, "private CA").add_extension(
        x509.SubjectAlternativeName(names), critical=False
    )
    for path, builder in ((made.ca, authority), (made.certificate, server)):
        signed = builder.sign(ca_key, hashes.SHA256())
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


def _certificate(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
