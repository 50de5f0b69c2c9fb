"""Network and sync mode, read from the node's container as avalanchego reads them [97-102]."""

import base64
import binascii
import re
import shlex
from collections.abc import Iterator
from typing import Any

import msgspec

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain.objects import Container, EnvVar
from controller.domain.target import SyncMode

_NETWORKS = {"1": "mainnet", "5": "fuji", "testnet": "fuji", "12345": "local"}
_NETWORK = re.compile(r"mainnet|fuji|local|network-\d{1,10}")
_TRUE = {"1", "t", "true", "yes", "y", "on"}  # what avalanchego's flag library takes for true
_SHELLS = {"sh", "bash", "dash", "ash"}
_SCRIPT_FOLLOWS = re.compile(r"-[A-Za-z]*c[A-Za-z]*")  # -c, also among others: -ec, -lc

# Flags that hide others from us: a target must be readable from the Deployment alone.
_HIDING = ("config-file", "config-file-content")


def read_network_and_mode(container: Container) -> tuple[str, SyncMode]:
    """What the container's env, command and args make of a node; a flag wins over its variable.

    Raises TargetFault with the sentence for the Deployment's owner.
    """
    settings = _Settings(container)
    for flag in _HIDING:
        if settings.get(flag):  # an empty variable is none, to avalanchego too
            raise TargetFault(
                "HiddenConfiguration",
                f"'{flag}' hides the target in a file: write network and sync mode as variables"
                " (AVAGO_NETWORK_ID, AVAGO_CHAIN_CONFIG_CONTENT) or flags of the container",
            )
    network = _network(settings.get("network-id"))
    if (settings.get("partial-sync-primary-network") or "").strip().lower() in _TRUE:
        return network, SyncMode.P_CHAIN
    content = settings.get("chain-config-content")
    if content is None and settings.get("chain-config-dir"):
        raise TargetFault(
            "HiddenConfiguration",
            "'chain-config-dir' hides the sync mode in files: write AVAGO_CHAIN_CONFIG_CONTENT",
        )
    return network, _mode(_c_chain(content))


def _network(text: str | None) -> str:
    """mainnet where nothing is said: so does avalanchego [97]."""
    name = (text or "mainnet").strip().lower()
    number = name.removeprefix("network-")
    if number.isascii() and number.isdigit():
        name = _NETWORKS.get(number, f"network-{number}")
    name = _NETWORKS.get(name, name)
    if not _NETWORK.fullmatch(name):
        raise TargetFault(
            "BadNetwork",
            f"'{shown(text)}' is not a network: write mainnet, fuji, local or network-N"
            " in AVAGO_NETWORK_ID",
        )
    return name


def _mode(c_chain: dict[str, Any]) -> SyncMode:
    state_sync, pruning = c_chain.get("state-sync-enabled"), c_chain.get("pruning-enabled", True)
    for key, value in (("state-sync-enabled", state_sync), ("pruning-enabled", pruning)):
        if not isinstance(value, bool | None):
            raise TargetFault(
                "BadChainConfig", f"the C-chain's '{key}' must be true or false, not {shown(value)}"
            )
    if state_sync is False:
        return SyncMode.ARCHIVE if pruning is False else SyncMode.FULL
    if pruning is False:
        raise TargetFault(
            "StateSyncWithArchive",
            "state sync leaves no archive: write 'state-sync-enabled: false' for an archive, or"
            " leave 'pruning-enabled' out for state sync",
        )
    return SyncMode.STATE


def _c_chain(content: str | None) -> dict[str, Any]:
    """The C-chain's configuration inside AVAGO_CHAIN_CONFIG_CONTENT, base64 twice [99]."""
    if not content:
        return {}
    try:
        chains = msgspec.json.decode(_unpacked(content))
        chain = chains.get("C") if isinstance(chains, dict) else None
        if not isinstance(chains, dict) or not isinstance(chain, dict | None):
            raise _bad_chain_config("is not an object of chains")
        if any(len(alias) > 40 for alias in chains):
            raise _bad_chain_config("names a chain by its id: write the alias C")
        inner = _folded(chain or {}).get("config")
        if not inner:
            return {}
        config = msgspec.json.decode(_unpacked(inner))
    except (binascii.Error, ValueError, TypeError, RecursionError, AttributeError) as error:
        raise _bad_chain_config("does not decode") from error
    if not isinstance(config, dict):
        raise _bad_chain_config("holds a C-chain config that is not an object")
    return _folded(config)


def _unpacked(text: str) -> bytes:
    """As Go unpacks it: line ends inside do not count."""
    return base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)


def _folded(fields: dict[str, Any]) -> dict[str, Any]:
    """As Go reads JSON: names of fields in any case."""
    return {name.lower(): value for name, value in fields.items()}


def _bad_chain_config(what: str) -> TargetFault:
    return TargetFault(
        "BadChainConfig",
        f"AVAGO_CHAIN_CONFIG_CONTENT {what}: write base64 of"
        ' {"C":{"Config":"<base64 of the C-chain config JSON>"}}',
    )


class _Settings:
    """Flags and variables of a container, by flag name."""

    def __init__(self, container: Container) -> None:
        self._flags = dict(_flags([*(container.command or ()), *(container.args or ())]))
        self._env = {variable.name: variable for variable in container.env or ()}
        self._hidden = any(_may_hold_avago(source) for source in container.env_from or ())

    def get(self, flag: str) -> str | None:
        """The value, or None where neither is set. Raises TargetFault for one not literal."""
        if flag in self._flags:
            return self._flags[flag]
        name = "AVAGO_" + flag.upper().replace("-", "_")
        variable = self._env.get(name)
        if variable is None and self._hidden:
            raise TargetFault(
                "TargetNotLiteral",
                f"{name} may come from the container's envFrom: write it as a literal value in env",
            )
        if variable is not None and variable.value_from is not None:
            raise TargetFault("TargetNotLiteral", _not_literal(variable))
        return variable.value if variable is not None else None


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


def _flags(words: list[str]) -> Iterator[tuple[str, str]]:
    """`--flag=value`, `--flag value` and `--flag`, also inside the script of a `sh -c`."""
    script = _script(words)
    if script is not None:
        try:
            words = shlex.split(script, comments=True)
        except ValueError:  # an open quote: no shell would run it either
            words = script.split()
    for index, word in enumerate(words):
        if not word.startswith("-") or word.strip("-") == "":
            continue
        flag, equals, value = word.lstrip("-").partition("=")
        following = words[index + 1] if index + 1 < len(words) else ""
        if not equals:
            value = following if following and not following.startswith("-") else "true"
        yield flag, value
