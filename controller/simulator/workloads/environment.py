"""A container's environment as a kubelet makes it: literal values, the downward API, $(NAME)."""

import re

from controller.simulator.apiserver.resources import Object

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_ANNOTATION = re.compile(r"metadata\.annotations\['([^']+)'\]")
_LABEL = re.compile(r"metadata\.labels\['([^']+)'\]")


def environment_of(container: Object, pod: Object) -> dict[str, str]:
    """By name, in order: `$(NAME)` stands for a variable that came before, and stays as it is
    where none did. Variables from Secrets and ConfigMaps are left out.
    """
    result: dict[str, str] = {}
    for variable in container.get("env") or ():
        if "value" in variable:
            result[variable["name"]] = _expanded(variable["value"], result)
        elif reference := (variable.get("valueFrom") or {}).get("fieldRef"):
            result[variable["name"]] = _field(reference["fieldPath"], pod)
        elif "valueFrom" not in variable:
            result[variable["name"]] = ""
    return result


def _expanded(text: str, known: dict[str, str]) -> str:
    def replace(match: re.Match[str]) -> str:
        if match.group() == "$$":
            return "$"
        return known.get(match.group(1), match.group())

    return _REFERENCE.sub(replace, text)


def _field(path: str, pod: Object) -> str:
    """A missing annotation or label is the empty string, not a failure."""
    metadata = pod["metadata"]
    if match := _ANNOTATION.fullmatch(path):
        return str((metadata.get("annotations") or {}).get(match.group(1), ""))
    if match := _LABEL.fullmatch(path):
        return str((metadata.get("labels") or {}).get(match.group(1), ""))
    status = pod.get("status") or {}
    known = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "status.podIP": status.get("podIP", ""),
        "status.hostIP": status.get("hostIP", ""),
    }
    return str(known.get(path, ""))
