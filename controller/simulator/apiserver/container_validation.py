"""The rules of form of one container of a pod."""

from collections.abc import Iterable
from typing import Any

import orjson

from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.statuses import Cause

_MESSAGE_POLICIES = ("FallbackToLogsOnError", "File")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")

# What an init container that prepares cannot have: it ends by itself before anything else begins.
_OF_LASTING = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


def container_causes(
    container: Object, place: str, volumes: set[Any], *, init: bool
) -> Iterable[Cause]:
    """place: the container's path in the object. volumes: names of the pod's own."""
    policy = container.get("terminationMessagePolicy")
    if policy not in _MESSAGE_POLICIES:
        yield _unsupported(f"{place}.terminationMessagePolicy", policy, _MESSAGE_POLICIES)
    restart = container.get("restartPolicy")
    if restart is not None and restart not in _RESTART_POLICIES:
        yield _unsupported(f"{place}.restartPolicy", restart, _RESTART_POLICIES)
    if init and restart != "Always":
        why = "Forbidden: may not be set for init containers without restartPolicy=Always"
        for field in _OF_LASTING:
            if container.get(field) is not None:
                yield Cause("FieldValueForbidden", why, f"{place}.{field}")
    for index, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("name") not in volumes:
            yield Cause(
                "FieldValueNotFound",
                f"Not found: {_quoted(mount.get('name'))}",
                f"{place}.volumeMounts[{index}].name",
            )


def _unsupported(where: str, value: Any, supported: Iterable[str]) -> Cause:
    among = ", ".join(map(_quoted, supported))
    text = f"Unsupported value: {_quoted(value)}: supported values: {among}"
    return Cause("FieldValueNotSupported", text, where)


def _quoted(value: Any) -> str:
    return orjson.dumps(value).decode()
