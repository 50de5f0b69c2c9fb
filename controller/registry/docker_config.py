"""User names and passwords for registries, from a docker `config.json`.

Read again whenever the file changes, so that a rotated Secret is picked up without a restart.
Credential helpers are other programs: none is ever run here, and the file that names one is
answered with a warning. Secrets are in no repr, message or log.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from loguru import logger

from controller.base.errors import Refused
from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE
from controller.domain.registry_host import canonical_host

_LONGEST_FILE = 1 << 20  # bytes: a Secret holds no more than one MiB


class _Entry(msgspec.Struct):
    """One registry of a docker config.json; empty where the file does not say."""

    auth: str = ""  # base64 of `username:password`, and then these two are not written
    username: str = ""
    password: str = ""
    identitytoken: str = ""  # see `Credential.identity_token`


class _File(msgspec.Struct):
    auths: dict[str, _Entry] = {}  # by host, URL or host and path
    # programs that know credentials; none of them is run
    credsStore: str = ""  # noqa: N815 the file's own words
    credHelpers: dict[str, str] = {}  # noqa: N815 the file's own words


@dataclass(frozen=True)
class Credential:
    """Whom a registry is to take us for."""

    # counts the readings of the file, so that what was learnt of an old one is forgotten
    version: int
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    # an OAuth2 refresh token, used instead of the password; empty if there is none
    identity_token: str = field(default="", repr=False)

    def basic(self) -> str:
        """The value of an Authorization header."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


class CredentialFile:
    """path: of the docker config.json; None for anonymous access everywhere."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.version = 0
        self._stamp: tuple[int, int, int] | None = None
        self._found: Mapping[str, Credential] = {}

    def find(self, host: str, repository_path: str) -> Credential | None:
        """The credential for `host/path`, or for the longest part of it that has one.

        Raises Refused where the file cannot be used: asking anonymously instead would spend
        another limit, and hide the fault.
        """
        self.refresh()
        name = f"{canonical_host(host)}/{repository_path}"
        while True:
            if credential := self._found.get(name):
                return credential
            if "/" not in name:
                return None
            name = name.rpartition("/")[0]

    def absence(self, host: str, repository_path: str) -> str:
        """Why `find` has none, in a clause that says what to do about it."""
        if self.path is None:
            return "--registry-auth names no file of logins"
        return f"{shown(self.path)} has no login for {host}/{repository_path}"

    def refresh(self) -> None:
        """Reads the file again if it is not the one that was read. Raises Refused."""
        if self.path is None:
            return
        try:
            stat = self.path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if stamp == self._stamp:
                return
            with self.path.open("rb") as stream:
                raw = stream.read(_LONGEST_FILE)  # a longer one is cut, and no JSON any more
        except OSError as error:
            raise Refused(
                f"the file of registry credentials {shown(self.path)} cannot be read:"
                f" {shown(error.strerror)}"
            ) from error
        found = self._decode(raw, self.version + 1)
        self.version, self._stamp, self._found = self.version + 1, stamp, found

    def _decode(self, raw: bytes, version: int) -> Mapping[str, Credential]:
        path = shown(self.path)
        try:
            file = msgspec.json.decode(raw, type=_File)
            found = {_canonical_key(key): _decode(file.auths[key], version) for key in file.auths}
        except (*UNDECODABLE, ValueError):
            # The decoder's own words could quote the file: they are left out, and the chain too.
            raise Refused(
                f"the file of registry credentials {path} is not a docker config.json: write"
                ' {"auths": {"registry": {"auth": "<base64 of user:password>"}}}'
            ) from None
        if file.credsStore or file.credHelpers:
            logger.bind(path=path).warning(
                "credential helpers are not supported and not run: write credentials under auths"
            )
        return {key: credential for key, credential in found.items() if credential is not None}


def _decode(entry: _Entry, version: int) -> Credential | None:
    username, password = entry.username, entry.password
    if entry.auth:
        try:
            text = base64.b64decode(entry.auth.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError from error
        username, colon, password = text.partition(":")
        if not colon:
            raise ValueError
    if not (username or password or entry.identitytoken):
        return None
    return Credential(version, username, password, entry.identitytoken)


def _canonical_key(key: str) -> str:
    """`https://index.docker.io/v1/` → `docker.io`; a path below a registry is kept."""
    host, slash, path = (
        key.partition("://")[2].partition("/") if "://" in key else key.partition("/")
    )
    path = path.strip("/")
    if path in ("v1", "v2"):
        path = ""
    return f"{canonical_host(host)}/{path}" if slash and path else canonical_host(host)
