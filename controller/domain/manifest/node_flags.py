"""The node's flags, and the variables that stand for them, as avalanchego reads them [97, 100]."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain.manifest.command_line import CommandLine
from controller.domain.manifest.environment import Environment, first_unknown
from controller.domain.manifest.flag_kinds import SWITCHES, VALUED
from controller.domain.manifest.go_values import FALSE, TRUE
from controller.domain.objects import Container, EnvVar

_PREFIX = "AVAGO_"


@dataclass(frozen=True)
class Said:
    """What a container says of one of the node's flags."""

    place: str  # where it is said, for people: `--http-host` or `AVAGO_HTTP_HOST`
    value: str = ""
    bare: bool = False  # a flag without `=`: a switch is on, whatever word stands behind it
    hidden: str = ""  # why the value is not in the manifest, a sentence; empty: it is

    @property
    def is_flag(self) -> bool:
        return self.place.startswith("-")


class NodeFlags:
    """Everything that a container says of its node's flags."""

    def __init__(
        self,
        flags: Mapping[str, Said],
        variables: Mapping[str, EnvVar],
        command_line: CommandLine,
        *,
        env_from: bool,
    ) -> None:
        self._flags = flags  # by the flag's name, without its dashes
        self.variables = variables  # by name; of the node, and others
        self.command_line = command_line
        self._env_from = env_from  # whether an envFrom may bring variables of the node

    @classmethod
    def of(cls, container: Container) -> "NodeFlags":
        environment = Environment(container)
        command_line = CommandLine.of(container, environment)
        assigned = {variable.name: variable for variable in command_line.assigned()}
        return cls(
            dict(_flags(command_line.arguments)),
            environment.variables | assigned,
            command_line,
            env_from=any(map(_may_hold_avago, container.env_from or ())),
        )

    def said(self, flag: str) -> Said | None:
        """None where nothing is said; an empty variable is none, to avalanchego too. A flag wins
        over its variable.
        """
        if flag in self._flags:
            return self._flags[flag]
        name = _PREFIX + flag.upper().replace("-", "_")
        variable = self.variables.get(name)
        if variable is None:
            hidden = (
                f"{name} may come from the container's envFrom: write it as a literal value in env,"
                " empty for its default"
            )
            return Said(name, hidden=hidden) if self._env_from else None
        if variable.value_from is not None:
            return Said(name, hidden=_not_literal(variable))
        return _written(name, variable.value) if variable.value else None

    def names(self, flag: str) -> bool:
        """Whether the manifest says anything of a flag, by itself or by its variable, also where
        the value is not in the manifest. flag: without its dashes.
        """
        return self.said(flag) is not None

    def get(self, flag: str) -> str | None:
        """The value; None where nothing is said. Raises TargetFault where it cannot be read."""
        said = self.said(flag)
        if said is not None and said.hidden:
            raise TargetFault("TargetNotLiteral", said.hidden)
        return said.value if said else None

    def is_on(self, switch: str) -> bool:
        """Of a flag that is true or false. Raises TargetFault where it cannot be read, or where it
        is neither to the node.
        """
        value, said = self.get(switch), self.said(switch)
        if said is None or value is None:
            return False
        if said.bare or value in TRUE:
            return True
        if value in FALSE:
            return False
        raise TargetFault("BadSwitch", no_switch(said))

    def everything(self) -> Iterator[tuple[str, Said]]:
        """Each flag that the manifest names, with what counts of it."""
        variables = (n.removeprefix(_PREFIX) for n in self.variables if n.startswith(_PREFIX))
        of_variables = (name.lower().replace("_", "-") for name in variables)
        for flag in dict.fromkeys((*self._flags, *of_variables)):
            said = self.said(flag)
            if said is not None:
                yield flag, said


def no_switch(said: Said) -> str:
    """The sentence of a switch that is neither true nor false to avalanchego."""
    value, place = shown(said.value, 40), said.place
    if said.is_flag:
        return (
            f"avalanchego does not start with {place}={value}: write {place}=true or {place}=false"
        )
    return (
        f"'{value}' is neither true nor false to avalanchego, which takes it for false without a"
        f" word: write {place}=true or {place}=false"
    )


def _written(place: str, value: str, *, bare: bool = False) -> Said:
    name = first_unknown(value)
    if name is None:
        return Said(place, value, bare)
    hidden = (
        f"{place} refers to $({shown(name, 63)}), whose value is not in the manifest: write a"
        " literal value"
    )
    return Said(place, value, bare, hidden)


def _not_literal(variable: EnvVar) -> str:
    source = next(iter(variable.value_from or {}), "elsewhere")
    return (
        f"{shown(variable.name)} decides the target and comes from {shown(source)}: write it as"
        " a literal value in env"
    )


def _may_hold_avago(source: dict[str, Any]) -> bool:
    """Whether an envFrom could bring a variable that begins with AVAGO_."""
    prefix = str(source.get("prefix") or "")
    return prefix.startswith(_PREFIX) or _PREFIX.startswith(prefix)


def _flags(words: Sequence[str]) -> Iterator[tuple[str, Said]]:
    """`--flag=value`, `--flag value` and `--flag`. Of a flag that avalanchego does not know the
    word behind it is its value unless it is a flag itself.
    """
    taken = False
    for word, following in pairwise((*words, "")):
        if taken or not word.startswith("-") or word.strip("-") == "":
            taken = False
            continue
        flag, equals, value = word.lstrip("-").partition("=")
        if not equals and flag in VALUED:
            value, taken = following, True
        elif not equals:
            alone = flag in SWITCHES or not following or following.startswith("-")
            value = "true" if alone else following
        bare = not equals and flag not in VALUED
        yield flag, _written(f"{_dashes(word)}{flag}", value, bare=bare)


def _dashes(word: str) -> str:
    return "-" if word[1:2] != "-" else "--"
