"""The C-chain's configuration inside AVAGO_CHAIN_CONFIG_CONTENT, as avalanchego finds it [99]."""

import base64
import binascii
from typing import Any

import msgspec

from controller.base.errors import TargetFault
from controller.base.text import shown

# By which avalanchego looks for the C-chain's, in this order, after its id [99].
_C_CHAIN = ("C", "evm")
_ALIASES = {*_C_CHAIN, "X", "avm", "P", "platform"}
_FIELDS = {"config", "upgrade"}
# What decides the sync mode. Another spelling is ignored by avalanchego, without a word.
_DECIDING = {"statesyncenabled": "state-sync-enabled", "pruningenabled": "pruning-enabled"}


def c_chain_config(content: str) -> dict[str, Any]:
    """Names of its fields in lower case; empty where nothing is said of the C-chain. Raises
    TargetFault where it cannot be read, or where avalanchego would drop a part without a word.
    """
    try:
        chains = msgspec.json.decode(_unpacked(content))
        if not isinstance(chains, dict):
            raise _bad("is not an object of chains")
        _check_aliases(chains)
        inner = next((_config_of(chains[alias]) for alias in _C_CHAIN if alias in chains), None)
        if not inner:
            return {}
        config = msgspec.json.decode(_unpacked(inner))
    except (binascii.Error, ValueError, TypeError, RecursionError, AttributeError) as error:
        raise _bad("does not decode") from error
    if not isinstance(config, dict):
        raise _bad("holds a C-chain config that is not an object")
    for name in config:
        _check_spelling(name)
    return _folded(config)


def _check_aliases(chains: dict[str, Any]) -> None:
    for alias in chains:
        if len(alias) > 40:
            raise _bad("names a chain by its id: write the alias C")
        if alias not in _ALIASES:
            raise _bad(f"has '{shown(alias, 40)}', a chain that avalanchego may not know: write C")


def _config_of(chain: Any) -> str | None:
    """As it stands in the chain's object, packed once more."""
    if not isinstance(chain, dict | None):
        raise _bad("is not an object of chains")
    fields = _folded(chain or {})
    other = next((name for name in fields if name not in _FIELDS), None)
    if other is not None:
        raise _bad(f"has '{shown(other, 40)}' beside Config, where avalanchego does not read it")
    config: str | None = fields.get("config")
    return config


def _check_spelling(name: str) -> None:
    letters = "".join(filter(str.isalpha, name.lower()))
    meant = _DECIDING.get(letters)
    if meant is not None and name.lower() != meant:
        raise TargetFault(
            "BadChainConfig",
            f"avalanchego does not read '{shown(name, 40)}' of the C-chain's configuration, and"
            f" says nothing: write '{meant}'",
        )


def _unpacked(text: str) -> bytes:
    """As Go unpacks it: line ends inside do not count."""
    return base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)


def _folded(fields: dict[str, Any]) -> dict[str, Any]:
    """As Go reads JSON: names of fields in any case."""
    return {name.lower(): value for name, value in fields.items()}


def _bad(what: str) -> TargetFault:
    return TargetFault(
        "BadChainConfig",
        f"AVAGO_CHAIN_CONFIG_CONTENT {what}: write base64 of"
        ' {"C":{"Config":"<base64 of the C-chain config JSON>"}}',
    )
