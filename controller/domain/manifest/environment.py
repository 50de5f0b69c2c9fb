"""A container's variables as Kubernetes makes them of its env, and what refers to them
[K pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables].
"""

import re

from controller.domain.objects import Container, EnvVar

_REFERENCE = re.compile(r"\$\$|\$\(([^()$]{1,253})\)")
_MOST = 1024 * 1024  # characters put in for references; references to references double each time
_UNKNOWN = "\0"  # on both sides of the name of a variable whose value is not in the manifest


class Environment:
    """The variables of one container, by name."""

    def __init__(self, container: Container) -> None:
        self._left = _MOST
        self.variables: dict[str, EnvVar] = {}  # the last of two of a name
        for variable in container.env or ():
            literal = variable.value_from is None
            self.variables[variable.name] = (
                EnvVar(name=variable.name, value=self.expanded(variable.value))
                if literal
                else variable
            )

    def expanded(self, text: str) -> str:
        """A text of env, command or args with the variables that it refers to as `$(NAME)`: of env
        those that stand before it. Two `$` are one; what nobody knows stays as it is written, and
        for what is taken from elsewhere (valueFrom) `unknown` is put in.
        """
        return _REFERENCE.sub(self._value, text)

    def _value(self, reference: re.Match[str]) -> str:
        name: str | None = reference[1]
        if name is None:
            return "$"
        variable = self.variables.get(name)
        if variable is None:
            return reference[0]
        value = variable.value if variable.value_from is None else unknown(name)
        if len(value) > self._left:
            return reference[0]
        self._left -= len(value)
        return value


def unknown(name: str) -> str:
    """What stands in a text for the value of a variable that is not in the manifest."""
    return f"{_UNKNOWN}{name}{_UNKNOWN}"


def first_unknown(text: str) -> str | None:
    """The name of the first variable in a text whose value is not in the manifest."""
    parts = text.split(_UNKNOWN, 2)
    return parts[1] if len(parts) > 1 else None
