"""Values that the node would refuse, or drop without a word: found before it is started [97, 100].

A flag is refused, and the node does not start; a variable is silently false, or 0, and the node
does something else than its owner reads there.
"""

from collections.abc import Callable

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain.manifest.flag_kinds import (
    DECIMALS,
    DURATIONS,
    KNOWN,
    SIGNED,
    SWITCHES,
    WHOLE,
)
from controller.domain.manifest.go_values import (
    FALSE,
    TRUE,
    is_decimal,
    is_duration,
    is_signed,
    whole,
)
from controller.domain.manifest.node_flags import NodeFlags, Said, no_switch

_PORTS = {"http-port": 1, "staking-port": 0}  # the least; 0 is one that nobody knows
_CHECKS: tuple[tuple[frozenset[str], Callable[[str], bool], str], ...] = (
    (WHOLE, lambda text: whole(text) is not None, "a whole number such as 10"),
    (SIGNED, is_signed, "a whole number such as 10"),
    (DECIMALS, is_decimal, "a number such as 0.5"),
    (DURATIONS, is_duration, "a duration with its unit, such as 30s or 5m"),
)


def check_flag_values(flags: NodeFlags) -> None:
    """Raises TargetFault for the first value that the node would refuse or drop. What the manifest
    does not hold is let be: it decides nothing here.
    """
    for flag, said in flags.everything():
        if flag not in KNOWN:
            continue
        if said.is_flag and not said.place.startswith("--"):
            raise TargetFault(
                "BadFlag",
                f"avalanchego does not start with '{shown(said.place, 60)}', which has one dash:"
                f" write --{flag}",
            )
        if not said.hidden and not _of_the_shells(flags, said):
            _check(flag, said)


def _of_the_shells(flags: NodeFlags, said: Said) -> bool:
    """Whether a shell puts in what is not known here."""
    return flags.command_line.scripted and ("$" in said.value or "`" in said.value)


def _check(flag: str, said: Said) -> None:
    if flag in SWITCHES and not said.bare and said.value not in TRUE | FALSE:
        raise TargetFault("BadSwitch", no_switch(said))
    for kind, is_one, form in _CHECKS:
        if flag in kind and not is_one(said.value):
            raise _no_number(said, form)
    if flag in _PORTS and not _PORTS[flag] <= (whole(said.value) or 0) < 2**16:
        raise TargetFault(
            "BadNumber",
            f"{said.place} is {shown(said.value, 40)}, a port that nobody can ask: write a number"
            f" from {_PORTS[flag]} to 65535",
        )


def _no_number(said: Said, form: str) -> TargetFault:
    value = shown(said.value, 40)
    what = (
        f"avalanchego does not start with {said.place}={value}"
        if said.is_flag
        else f"'{value}' in {said.place} is no number to avalanchego, which takes it for another"
        " without a word"
    )
    return TargetFault("BadNumber", f"{what}: write {form}")
