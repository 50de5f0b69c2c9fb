"""What a docker `config.json` says, or a `.dockercfg`, the older form with hosts at its root.

As docker and the kubelet read it [162, 163]; where one of the two stops at an entry, that entry
alone is of no use here. No I/O.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from controller.base.undecodable import UNDECODABLE
from controller.registry.credential_keys import Key, read_key

_OF_AN_ENTRY = frozenset({"auth", "username", "identitytoken", "registrytoken"})
_HUB_KEY = "https://index.docker.io/v1/"  # what docker itself writes and looks for


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
        """The value of an Authorization header: the very bytes of the file."""
        pair = f"{self.username}:{self.password}".encode(errors="surrogateescape")
        return f"Basic {base64.b64encode(pair).decode()}"


@dataclass(frozen=True)
class BadEntry:
    """One that cannot be used."""

    key: str  # as it was written
    why: str  # a clause, with what to write instead and nothing of what was written


@dataclass(frozen=True)
class Config:
    """The whole file."""

    entries: Mapping[Key, Credential | BadEntry] = field(default_factory=dict)
    # credential helpers: that of a registry, and that of all others; empty for none
    helpers: Mapping[Key, str] = field(default_factory=dict)
    store: str = ""
    nowhere: tuple[str, ...] = ()  # keys that name no host


def read_config(raw: bytes, version: int) -> Config:
    """version: of the credentials. Raises ValueError for what is no such file; its text says
    nothing of it.
    """
    try:
        document = msgspec.json.decode(raw, type=dict[str, object])
    except UNDECODABLE:
        raise ValueError("no JSON object") from None
    names = {name.lower(): value for name, value in document.items()}  # Go's JSON knows no case
    if "auths" in names:
        auths = _object(names["auths"])
    else:
        auths = {key: entry for key, entry in document.items() if _is_entry(entry)}
    entries: dict[Key, Credential | BadEntry] = {}
    nowhere = []
    for written in sorted(auths, key=lambda written: written != _HUB_KEY):
        key = read_key(written)
        if key is None:
            nowhere.append(written)
            continue
        found = _read_entry(written, auths[written], version)
        # Of two for one place the first that can be used.
        if found and not isinstance(entries.get(key), Credential):
            entries[key] = found
    store = names.get("credsstore")
    return Config(
        entries,
        _helpers(names.get("credhelpers")),
        store if isinstance(store, str) else "",
        tuple(nowhere),
    )


def _object(value: object) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004 a fault of the file, not of the program
    return value


def _is_entry(value: object) -> bool:
    """At the root of a file there may be anything else of docker's beside entries."""
    return isinstance(value, dict) and any(name.lower() in _OF_AN_ENTRY for name in value)


def _read_entry(key: str, written: object, version: int) -> Credential | BadEntry | None:
    """None for one that is empty: no login, or one that a credential helper has."""
    if written is None:
        return None
    if not isinstance(written, dict):
        return BadEntry(key, 'it is no object: write {"auth": "<base64 of user:password>"}')
    entry = {name.lower(): value for name, value in written.items()}
    texts = [entry.get(name) for name in ("auth", "username", "password", "identitytoken")]
    if any(not isinstance(text, str | None) for text in texts):
        return BadEntry(key, "its auth, username, password or identitytoken is no text")
    auth, username, password, token = (text or "" for text in texts)
    if auth:
        pair = _pair(auth)
        if pair is None and not token:
            return BadEntry(key, "its auth is not the base64 of user:password")
        # What stands beside a token is not needed, and `<token>` or nothing where docker wrote it.
        username, password = pair or ("", "")
    if username or password or token:
        return Credential(version, username, password, token)
    if entry.get("registrytoken"):
        return BadEntry(
            key, "it has a registrytoken alone, which is not supported: write auth instead"
        )
    return None


def _pair(auth: str) -> tuple[str, str] | None:
    """User and password, which may hold colons; padding may be left out, as for the kubelet, and
    NULs around the password are not part of it, as for docker.
    """
    packed = "".join(auth.split()).rstrip("=")
    try:
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except binascii.Error:
        return None
    username, colon, password = raw.decode(errors="surrogateescape").partition(":")
    return (username, password.strip("\0")) if colon else None


def _helpers(value: object) -> Mapping[Key, str]:
    written = value.items() if isinstance(value, dict) else ()
    return {
        key: helper
        for host, helper in written
        if isinstance(helper, str) and helper and (key := read_key(host))
    }
