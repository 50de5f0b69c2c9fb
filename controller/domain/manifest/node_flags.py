"""The node's flags, and the variables that stand for them, as avalanchego reads them [97, 100]."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain.objects import Container, EnvVar

# What Go takes for true. Another word is false as a variable, and refused as a flag [100].
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_MEANT_AS_TRUE = {"1", "t", "true", "y", "yes", "on"}
_SHELLS = {"sh", "bash", "dash", "ash"}
_SCRIPT_FOLLOWS = re.compile(r"-[A-Za-z]*c[A-Za-z]*")  # -c, also among others: -ec, -lc
_ASSIGNMENT = re.compile(r"(AVAGO_[A-Z0-9_]+)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class Said:
    """What a container says of one of the node's flags."""

    place: str  # where it is said, for people: `--http-host` or `AVAGO_HTTP_HOST`
    value: str = ""
    bare: bool = False  # a flag without `=`: a switch is on, whatever word stands behind it
    hidden: str = ""  # why the value is not in the manifest, a sentence; empty: it is


class NodeFlags:
    """Everything that a container says of its node's flags."""

    def __init__(self, flags: dict[str, Said], env: dict[str, EnvVar], *, env_from: bool) -> None:
        self._flags = flags  # by the flag's name, without its dashes
        self._env = env  # by the variable's name
        self._env_from = env_from  # whether an envFrom may bring variables of the node

    @classmethod
    def of(cls, container: Container) -> "NodeFlags":
        words = [*(container.command or ()), *(container.args or ())]
        script = _script(words)
        words = words if script is None else _split(script)
        env = {variable.name: variable for variable in container.env or ()}
        return cls(
            dict(_flags(words)),
            env | {variable.name: variable for variable in _assigned(words)},
            env_from=any(map(_may_hold_avago, container.env_from or ())),
        )

    def said(self, flag: str) -> Said | None:
        """None where nothing is said; an empty variable is none, to avalanchego too. A flag wins
        over its variable.
        """
        if flag in self._flags:
            return self._flags[flag]
        name = "AVAGO_" + flag.upper().replace("-", "_")
        variable = self._env.get(name)
        if variable is None:
            hidden = (
                f"{name} may come from the container's envFrom: write it as a literal value in env"
            )
            return Said(name, hidden=hidden) if self._env_from else None
        if variable.value_from is not None:
            return Said(name, hidden=_not_literal(variable))
        return Said(name, variable.value) if variable.value else None

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
        """Of a flag that is true or false. Raises TargetFault where it cannot be read, or where the
        node takes for false what a person meant as true.
        """
        value, said = self.get(switch), self.said(switch)
        if said is None or value is None:
            return False
        if said.bare or value in _TRUE:
            return True
        if value.strip().lower() in _MEANT_AS_TRUE:
            raise TargetFault(
                "BadSwitch",
                f"'{shown(value, 40)}' does not mean true to avalanchego: write {said.place}=true",
            )
        return False


def _not_literal(variable: EnvVar) -> str:
    source = next(iter(variable.value_from or {}), "elsewhere")
    return (
        f"{shown(variable.name)} decides the target and comes from {shown(source)}: write it as"
        " a literal value in env"
    )


def _may_hold_avago(source: dict[str, Any]) -> bool:
    """Whether an envFrom could bring a variable that begins with AVAGO_."""
    prefix = str(source.get("prefix") or "")
    return prefix.startswith("AVAGO_") or "AVAGO_".startswith(prefix)


def _script(words: list[str]) -> str | None:
    """The script of a shell that is among the first words, if it is given one."""
    shell = next((i for i, w in enumerate(words) if w.rpartition("/")[2] in _SHELLS), None)
    if shell is None or any(word.startswith("--") and word != "--" for word in words[:shell]):
        return None
    for index in range(shell + 1, len(words) - 1):
        if _SCRIPT_FOLLOWS.fullmatch(words[index]):
            return words[index + 1]
    return None


def _split(script: str) -> list[str]:
    """The words of a shell's script, of all its commands, without what stands between them."""
    lexer = shlex.shlex(script, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # an open quote: no shell would run it either
        return script.split()


def _flags(words: list[str]) -> Iterator[tuple[str, Said]]:
    """`--flag=value`, `--flag value` and `--flag`."""
    for index, word in enumerate(words):
        if not word.startswith("-") or word.strip("-") == "":
            continue
        flag, equals, value = word.lstrip("-").partition("=")
        following = words[index + 1] if index + 1 < len(words) else ""
        if not equals:
            value = following if following and not following.startswith("-") else "true"
        yield flag, Said(f"--{flag}", value, bare=not equals)


def _assigned(words: list[str]) -> Iterator[EnvVar]:
    """Variables that the command itself sets, as a script or `env` does."""
    for word in words:
        if assignment := _ASSIGNMENT.fullmatch(word):
            yield EnvVar(name=assignment[1], value=assignment[2])
