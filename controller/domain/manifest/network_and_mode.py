"""Network and sync mode, read from the node's container as avalanchego reads them [97-102]."""

import base64
import binascii
import re
from typing import Any

import msgspec

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain.manifest.node_flags import NodeFlags
from controller.domain.objects import Container
from controller.domain.target import SyncMode

_NETWORKS = {"1": "mainnet", "5": "fuji", "testnet": "fuji", "12345": "local"}
_NETWORK = re.compile(r"mainnet|fuji|local|network-\d{1,10}")

# Flags that hide others from us: a target must be readable from the Deployment alone.
_HIDING = ("config-file", "config-file-content")


def read_network_and_mode(container: Container) -> tuple[str, SyncMode]:
    """What the container's env, command and args make of a node.

    Raises TargetFault with the sentence for the Deployment's owner.
    """
    flags = NodeFlags.of(container)
    for flag in _HIDING:
        if flags.get(flag):
            raise TargetFault(
                "HiddenConfiguration",
                f"'{flag}' hides the target in a file: write network and sync mode as variables"
                " (AVAGO_NETWORK_ID, AVAGO_CHAIN_CONFIG_CONTENT) or flags of the container",
            )
    network = _network(flags.get("network-id"))
    if flags.is_on("partial-sync-primary-network"):
        return network, SyncMode.P_CHAIN
    content = flags.get("chain-config-content")
    if content is None and flags.get("chain-config-dir"):
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
