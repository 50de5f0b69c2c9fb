"""User names and passwords for registries, from a docker `config.json` or an old `.dockercfg`.

Read again whenever the file changes, so that a rotated Secret is picked up without a restart.
Credential helpers are other programs: none is ever run here, and where one has the login, that is
said. Secrets are in no repr, message or log.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from loguru import logger

from controller.base.errors import Refused
from controller.base.text import shown
from controller.registry.credential_keys import Key, key_of
from controller.registry.docker_entries import BadEntry, Config, Credential, read_config

__all__ = ["Credential", "CredentialFile"]

T = TypeVar("T")

_LONGEST_FILE = 1 << 20  # bytes: a Secret holds no more than one MiB


class CredentialFile:
    """path: of the file; None for anonymous access everywhere."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.version = 0
        self._stamp: tuple[int, int, int] | None = None
        self._config = Config()

    def find(self, host: str, repository_path: str) -> Credential | None:
        """The credential of the entry that fits `host/path` best; None if there is none.

        Raises Refused where the file, or that entry, cannot be used: asking anonymously instead
        would spend another limit, and hide the fault. An entry that cannot be used is in the way of
        no other.
        """
        self.refresh()
        found = _best(self._config.entries, key_of(host, repository_path))
        if isinstance(found, BadEntry):
            raise Refused(
                f"the entry '{shown(found.key, 80)}' in {shown(self.path)} cannot be used:"
                f" {found.why}"
            )
        return found

    def absence(self, host: str, repository_path: str) -> str:
        """Why `find` has none, in a clause that says what to do about it."""
        if self.path is None:
            return "--registry-auth names no file of logins"
        path, asked = shown(self.path), key_of(host, repository_path)
        if helper := _best(self._config.helpers, asked) or self._config.store:
            return (
                f"{path} leaves {host} to docker-credential-{shown(helper, 40)}, and no such"
                " program is run here: write the login itself under auths"
            )
        return f"{path} has no login for {host}/{repository_path}"

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
        try:
            config = read_config(raw, self.version + 1)
        except ValueError:
            # The decoder's own words could quote the file: they are left out, and the chain too.
            raise Refused(
                f"the file of registry credentials {shown(self.path)} is not a docker config.json:"
                ' write {"auths": {"registry": {"auth": "<base64 of user:password>"}}}'
            ) from None
        self.version, self._stamp, self._config = self.version + 1, stamp, config
        self._warn(config)

    def _warn(self, config: Config) -> None:
        log = logger.bind(path=shown(self.path))
        if config.helpers or config.store:
            log.warning(
                "credential helpers are not supported and not run: write credentials under auths"
            )
        for bad in config.entries.values():
            if isinstance(bad, BadEntry):
                log.bind(entry=shown(bad.key, 80), why=bad.why).warning("an entry is not used")
        for key in config.nowhere:
            why = "its key names no host"
            log.bind(entry=shown(key, 80), why=why).warning("an entry is not used")


def _best(entries: Mapping[Key, T], asked: Key) -> T | None:
    fitting = [key for key in entries if key.matches(asked)]
    return entries[max(fitting)] if fitting else None
