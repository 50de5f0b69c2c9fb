"""Manifests of schema 1 with a signature, as docker pushed them before 2016: JSON with a signature
of its own bytes inside, which a registry verifies.
"""

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"


def signed_manifest(name: str, tag: str, layer: str) -> tuple[bytes, str]:
    """The manifest of an image of one layer, which is a digest, and its own digest: that of what
    was signed.
    """
    document = {
        "schemaVersion": 1,
        "name": name,
        "tag": tag,
        "architecture": "amd64",
        "fsLayers": [{"blobSum": layer}],
        "history": [{"v1Compatibility": json.dumps({"id": "a" * 64, "os": "linux"})}],
    }
    payload = json.dumps(document, indent=3).encode()
    # The signature stands in the document, behind its last field; how to cut it out is signed too.
    length, tail = len(payload) - 2, b"\n}"
    assert payload.endswith(tail)
    protected = _base64url(
        json.dumps(
            {
                "formatLength": length,
                "formatTail": _base64url(tail),
                "time": "2015-11-20T10:00:00Z",
            }
        ).encode()
    )
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.sign(f"{protected}.{_base64url(payload)}".encode(), ec.ECDSA(hashes.SHA256()))
    pair = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))
    signature = {
        "header": {"jwk": _public(key), "alg": "ES256"},
        "signature": _base64url(pair),
        "protected": protected,
    }
    signatures = f',\n   "signatures": {json.dumps([signature])}'.encode()
    return payload[:length] + signatures + tail, f"sha256:{hashlib.sha256(payload).hexdigest()}"


def _public(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    name = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return {
        "kty": "EC",
        "crv": "P-256",
        "kid": ":".join(name[at : at + 4] for at in range(0, len(name), 4)),
        "x": _base64url(numbers.x.to_bytes(32, "big")),
        "y": _base64url(numbers.y.to_bytes(32, "big")),
    }


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
