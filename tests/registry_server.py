"""Debian's docker-registry as a process, a token server before it, and what pushes images to it."""

import base64
import contextlib
import datetime
import hashlib
import json
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from tests.private_ca import PrivateCa

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

ISSUER = "test-issuer"
SERVICE = "test-registry"

_LISTENING = re.compile(r'msg="listening on [^"]*:(\d+)(?:, tls)?"')


@contextlib.contextmanager
def docker_registry(
    folder: Path,
    token_realm: str = "",
    bundle: Path | None = None,
    *,
    htpasswd: str = "",
    tls: PrivateCa | None = None,
    schema_1: bool = False,
) -> Iterator[int]:
    """The port of a registry on the loopback that ends with the block; its files are in `folder`.

    token_realm, bundle: with them it wants tokens of that server, signed under that certificate.
    schema_1: takes manifests of schema 1 too.
    htpasswd: with it it wants one of these logins. tls: None for plain HTTP.
    """
    binary = shutil.which("docker-registry")
    if binary is None:
        pytest.skip("docker-registry is missing: apt-get install docker-registry")
    config: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": "127.0.0.1:0"},
        "compatibility": {"schema1": {"enabled": schema_1}},
    }
    if bundle is not None:
        config["auth"] = {
            "token": {
                "realm": token_realm,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(bundle),
            }
        }
    if htpasswd:
        (folder / "htpasswd").write_text(htpasswd)
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    if tls is not None:
        config["http"]["tls"] = {"certificate": str(tls.certificate), "key": str(tls.key)}
    path = folder / "config.yml"
    path.write_text(json.dumps(config))  # JSON is YAML
    process = subprocess.Popen(
        [binary, "serve", str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={},  # REGISTRY_… variables of whoever runs the tests would change its configuration
    )
    try:
        yield _port(process)
    finally:
        process.kill()
        process.wait(timeout=60)


def _port(process: "subprocess.Popen[str]") -> int:
    """Waits until it says where it listens; goes on reading, or the pipe would fill up."""
    assert process.stderr is not None
    log: deque[str] = deque(maxlen=50)
    for line in process.stderr:
        log.append(line)
        if match := _LISTENING.search(line):
            threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
            return int(match[1])
    process.wait(timeout=60)
    process.stderr.close()
    raise RuntimeError("docker-registry does not start:\n" + "".join(log))


def _drain(stream: Any) -> None:
    with stream:
        deque(stream, maxlen=0)


class TokenSigner:
    """Signs tokens (ES256) with a key of its own, whose certificate is the registry's root."""

    def __init__(self, bundle: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
        now = datetime.datetime.now(datetime.UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )
        bundle.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def token(self, rights: Mapping[str, Sequence[str]]) -> str:
        """rights: repository to actions, such as `pull`."""
        der = self._certificate.public_bytes(serialization.Encoding.DER)
        header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        now = int(datetime.datetime.now(datetime.UTC).timestamp())
        claims = {
            "iss": ISSUER,
            "aud": SERVICE,
            "sub": "",
            "nbf": now - 60,
            "iat": now,
            "exp": now + 300,
            "jti": "1",
            "access": [
                {"type": "repository", "name": name, "actions": list(actions)}
                for name, actions in rights.items()
            ],
        }
        signed = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
        pair = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_base64url(b''.join(number.to_bytes(32, 'big') for number in pair))}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class TokenServer:
    """What a token server does with a request: no right is no error, a wrong password is one.

    public: repositories that anybody may pull. private: repository to the Basic header that may.
    """

    def __init__(self, signer: TokenSigner) -> None:
        self.public: set[str] = set()
        self.private: dict[str, str] = {}
        self._signer = signer

    def respond(self, request: web.Request) -> web.Response:
        login = request.headers.get("Authorization")
        if login is not None and login not in self.private.values():
            return web.json_response({"errors": [{"code": "UNAUTHORIZED"}]}, status=401)
        rights = {}
        for scope in request.query.getall("scope", []):
            _, name, actions = scope.split(":")
            if name in self.public or (login and self.private.get(name) == login):
                rights[name] = [action for action in actions.split(",") if action == "pull"]
        token = self._signer.token(rights)
        return web.json_response({"token": token, "access_token": token, "expires_in": 300})


class Pusher:
    """Pushes small images to one repository. authorization: header for a registry with tokens."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, name: str, authorization: str = ""
    ) -> None:
        self._session = session
        self._base = f"{url}/v2/{name}"
        self._headers = {"Authorization": authorization} if authorization else {}

    async def blob(self, content: bytes) -> dict[str, Any]:
        """Pushes it, and gives its descriptor."""
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        async with self._session.post(
            f"{self._base}/blobs/uploads/", headers=self._headers
        ) as reply:
            assert reply.status == 202, await reply.text()
            place = reply.headers["Location"]
        joint = "&" if "?" in place else "?"
        async with self._session.put(
            f"{place}{joint}digest={digest}", data=content, headers=self._headers
        ) as reply:
            assert reply.status == 201, await reply.text()
        return {"digest": digest, "size": len(content)}

    async def manifest(self, reference: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Pushes it under a tag, or under its own digest for an empty `reference`."""
        body = json.dumps(document).encode()
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        media_type = document["mediaType"]
        async with self._session.put(
            f"{self._base}/manifests/{reference or digest}",
            data=body,
            headers={"Content-Type": media_type, **self._headers},
        ) as reply:
            assert reply.status == 201, await reply.text()
        return {"mediaType": media_type, "digest": digest, "size": len(body)}

    async def image(
        self,
        content: str,
        reference: str = "",
        *,
        docker: bool = False,
        labels: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """An image of one layer; the same content and labels are the same manifest."""
        kind = "application/vnd.docker" if docker else "application/vnd.oci"
        said = {"architecture": "amd64", "os": "linux", "config": {"Labels": labels}}
        config = await self.blob(json.dumps(said).encode())
        layer = await self.blob(content.encode())
        config_type = "container.image.v1+json" if docker else "image.config.v1+json"
        layer_type = "image.rootfs.diff.tar.gzip" if docker else "image.layer.v1.tar"
        return await self.manifest(
            reference,
            {
                "schemaVersion": 2,
                "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
                "config": {"mediaType": f"{kind}.{config_type}", **config},
                "layers": [{"mediaType": f"{kind}.{layer_type}", **layer}],
            },
        )

    async def index(
        self, tag: str, entries: Sequence[Mapping[str, Any]], *, docker: bool = False
    ) -> dict[str, Any]:
        """An index of descriptors that have a platform each."""
        return await self.manifest(
            tag,
            {
                "schemaVersion": 2,
                "mediaType": DOCKER_LIST if docker else OCI_INDEX,
                "manifests": list(entries),
            },
        )


def platform(descriptor: Mapping[str, Any], arch: str, os: str = "linux") -> dict[str, Any]:
    """The descriptor as an entry of an index."""
    return {**descriptor, "platform": {"os": os, "architecture": arch}}
