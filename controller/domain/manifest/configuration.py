"""What of a node's configuration has changed: names of variables and flags, never their values; and
who changed it; pure.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from controller.base.text import cut_bytes
from controller.domain import names
from controller.domain.manifest.field_owners import container_manager, last_manager
from controller.domain.metadata import ManagedField
from controller.domain.objects import Container, Deployment

MOST = 48  # parts that are told apart: the record keeps them
_NAME_BYTES = 64
_FLAG = re.compile(r"--?([A-Za-z][A-Za-z0-9-]*)(?:=(.*))?", re.DOTALL)
_OTHERS = "others"


def configuration_parts(container: Container | None) -> dict[str, str]:
    """Each variable (by its name), flag (`--name`), and what else stands in `command`, `args` and
    `envFrom`, to four hex digits over what it says: to see what changed, and nothing more.
    """
    if container is None:
        return {}
    parts: dict[str, list[object]] = {}
    for name, value in _parts(container):
        known = cut_bytes(name, _NAME_BYTES)
        at = known if known in parts or len(parts) < MOST else _OTHERS
        parts.setdefault(at, []).append((name, value))
    return {name: _digits(values) for name, values in parts.items()}


def changed_parts(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Names of what differs, sorted; empty where it is only in another order."""
    return sorted(n for n in {*before, *after} if before.get(n) != after.get(n))


def who_changed(
    deployment: Deployment, container: str, parts: Iterable[str], since: datetime
) -> ManagedField | None:
    """The field manager that last wrote one of these parts since then, or, where nobody owns them
    any more, as what was taken away, that last wrote the Deployment; never this controller. None
    where managedFields do not tell.
    """
    changed = list(parts)
    owner = container_manager(
        deployment,
        container,
        variables={part for part in changed if not part.startswith("-")},
        words=any(part.startswith("-") or part in ("command", "args") for part in changed),
    )
    found = owner or last_manager(deployment)
    if found is None or found.manager == names.FIELD_MANAGER:
        return None
    return found if found.time is not None and found.time >= since else None


def _parts(container: Container) -> Iterator[tuple[str, object]]:
    for variable in container.env or ():
        yield variable.name, (variable.value, variable.value_from)
    for where, words in (("command", container.command), ("args", container.args)):
        yield from _words(where, words or ())
    for source in container.env_from or ():
        yield "envFrom", source


def _words(where: str, words: Iterable[str]) -> Iterator[tuple[str, object]]:
    flag = ""  # whose value may follow
    for word in words:
        found = _FLAG.fullmatch(word)
        if found is not None:
            yield f"--{found[1]}", found[2]
            flag = "" if found[2] is not None else f"--{found[1]}"
        else:
            yield flag or where, word
            flag = ""


def _digits(values: list[object]) -> str:
    return hashlib.sha256(msgspec.json.encode(values, order="sorted")).hexdigest()[:4]
