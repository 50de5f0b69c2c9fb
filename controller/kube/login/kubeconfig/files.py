"""The files that make up a kubeconfig, and what they are together.

As client-go merges them [K client-go/tools/clientcmd/loader.go]: of what has the same name in
several files the first stands, whole; the current context is the first that is not empty. Paths are
relative to the file that names them.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from controller.base.errors import SettingsFault
from controller.base.text import shown
from controller.kube.login.kubeconfig.documents import Unreadable, read_document
from controller.kube.login.kubeconfig.stanzas import Cluster, Context, File, User

LARGEST = 16 * 1024 * 1024  # bytes; a company's whole fleet takes less than one

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Which files are read."""

    paths: tuple[str, ...]  # in the order in which they count
    must_be: bool  # the one path was given by a flag; of a list, files may be missing

    @property
    def name(self) -> str:
        """For sentences."""
        return f"kubeconfig {shown(os.pathsep.join(self.paths))}"


def place_of(kubeconfig: str | None, environ: Mapping[str, str]) -> Place:
    """kubeconfig: of the flag, one path, or the value of KUBECONFIG, a list; None for neither."""
    listed = environ.get("KUBECONFIG") or ""
    if kubeconfig and kubeconfig != listed:
        return Place((kubeconfig,), must_be=True)
    if listed:
        paths = dict.fromkeys(path for path in listed.split(os.pathsep) if path)
        return Place(tuple(paths), must_be=False)
    home = environ.get("HOME") or str(Path.home())
    return Place((f"{home}/.kube/config",), must_be=False)


@dataclass(frozen=True)
class Merged:
    """All files as one: by name, with absolute paths."""

    current_context: str = ""
    clusters: dict[str, Cluster] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict, repr=False)
    contexts: dict[str, Context] = field(default_factory=dict)


class Files:
    """Reads the files, each time anew; a pipe only once, for it gives its bytes once."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._once: dict[str, bytes] = {}

    def merged(self) -> Merged:
        """Raises SettingsFault."""
        read = [(path, file) for path in self.place.paths if (file := self._file(path)) is not None]
        if not read:
            raise SettingsFault([f"{self.place.name} does not exist{_hint(self.place)}"])
        current = (file.current_context for _, file in read if file.current_context)
        merged = Merged(current_context=next(current, ""))
        for path, file in read:
            _add(merged.clusters, _clusters(path, file))
            _add(merged.users, _users(path, file))
            _add(merged.contexts, _contexts(path, file))
        return merged

    def _file(self, path: str) -> File | None:
        """None where it does not exist and need not."""
        try:
            text = self._once.get(path) or self._bytes(path)
        except FileNotFoundError:
            if self.place.must_be:
                raise SettingsFault([f"{_named(path)} does not exist{_hint(self.place)}"]) from None
            return None
        except (OSError, ValueError) as error:  # ValueError: a path with a NUL
            why = getattr(error, "strerror", None) or error
            raise SettingsFault([f"{_named(path)} cannot be read: {shown(why)}"]) from None
        try:
            file = read_document(text, File) or File()
        except Unreadable as fault:
            raise _unusable(path, str(fault)) from None
        if file.kind not in (None, "", "Config") or file.api_version not in (None, "", "v1"):
            raise _unusable(path, "it is no Config of v1: look at its kind and apiVersion")
        return file

    def _bytes(self, path: str) -> bytes:
        with Path(path).open("rb") as file:
            text = file.read(LARGEST + 1)
            lasts = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        if len(text) > LARGEST:
            raise _unusable(path, f"it has more than {LARGEST} bytes")
        if not lasts:
            self._once[path] = text
        return text


def _named(path: str) -> str:
    return f"kubeconfig {shown(path)}"


def _unusable(path: str, why: str) -> SettingsFault:
    return SettingsFault([f"{_named(path)} cannot be used: {shown(why)}"])


def _hint(place: Place) -> str:
    """What to write instead, where it can be guessed."""
    if any(path.startswith("~") for path in place.paths):
        return ": `~` is the shell's, write the whole path"
    if place.must_be and os.pathsep in place.paths[0]:
        return ": --kubeconfig takes one path, a list stands in KUBECONFIG"
    return ""


def _clusters(path: str, file: File) -> dict[str, Cluster]:
    folder = _folder(path)
    named = [(each.name, each.cluster or Cluster()) for each in file.clusters or ()]
    placed = [(name, _of_cluster(cluster, folder)) for name, cluster in named]
    return _by_name(path, "clusters", placed)


def _users(path: str, file: File) -> dict[str, User]:
    folder = _folder(path)
    named = [(each.name, each.user or User()) for each in file.users or ()]
    return _by_name(path, "users", [(name, _of_user(user, folder)) for name, user in named])


def _contexts(path: str, file: File) -> dict[str, Context]:
    named = [(each.name, each.context or Context()) for each in file.contexts or ()]
    return _by_name(path, "contexts", named)


def _folder(path: str) -> Path:
    return Path(os.path.abspath(path)).parent


def _by_name(path: str, kind: str, named: Sequence[tuple[str | None, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, each in named:
        if (name or "") in found:
            raise _unusable(path, f"two of its {kind} have the name {shown(name)}")
        found[name or ""] = each
    return found


def _add(known: dict[str, T], more: Mapping[str, T]) -> None:
    for name, each in more.items():
        known.setdefault(name, each)


def _of_cluster(cluster: Cluster, folder: Path) -> Cluster:
    return msgspec.structs.replace(
        cluster, certificate_authority=_within(folder, cluster.certificate_authority)
    )


def _of_user(user: User, folder: Path) -> User:
    plugin = user.exec
    if plugin is not None and "/" in (plugin.command or ""):  # else it is looked for in PATH
        plugin = msgspec.structs.replace(plugin, command=_within(folder, plugin.command))
    return msgspec.structs.replace(
        user,
        client_certificate=_within(folder, user.client_certificate),
        client_key=_within(folder, user.client_key),
        token_file=_within(folder, user.token_file),
        exec=plugin,
    )


def _within(folder: Path, path: str | None) -> str | None:
    return os.path.normpath(folder / path) if path else None
