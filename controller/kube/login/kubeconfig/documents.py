"""Bytes to typed values, as client-go takes them: JSON, or the first document of YAML."""

import json
import re
from typing import Any, TypeVar

import msgspec
import yaml

T = TypeVar("T")

# What is a number or a truth value to client-go's YAML. None of them is a string to it, so a token
# that looks like one has to stand in quotes; a date stays a string.
_BOOL = re.compile(r"(?:y|yes|on|true|n|no|off|false)\Z", re.IGNORECASE)
_TRUE = ("y", "yes", "on", "true")
_NUMBER = re.compile(
    r"(?:[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+"
    r"|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))"
    r"|\.(?:nan|NaN|NAN))\Z"
)
_RESOLVED = "tag:bootstrap.avax.network,2026:"


class Unreadable(ValueError):
    """A clause that says what is wrong and shows nothing of the text: tokens stand in it."""


class _Loader(yaml.SafeLoader):
    """With the plain words of client-go instead of PyYAML's own."""


def _truth(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> bool:
    return loader.construct_scalar(node).lower() in _TRUE


_KEPT = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
_Loader.yaml_implicit_resolvers = {
    first: kept
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if (kept := [each for each in resolvers if each[0] in _KEPT])
}
_Loader.add_implicit_resolver(f"{_RESOLVED}bool", _BOOL, None)
_Loader.add_implicit_resolver(f"{_RESOLVED}number", _NUMBER, None)
_Loader.add_constructor(f"{_RESOLVED}bool", _truth)
_Loader.add_constructor(f"{_RESOLVED}number", lambda _loader, _node: 0.5)  # which, nobody asks


def read_document(text: bytes, kind: type[T]) -> T | None:
    """None where nothing stands in it, not even `{}`. Raises Unreadable."""
    document = _parsed(text)
    if document is None:
        return None
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise Unreadable(_clause(str(error))) from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None


def _parsed(text: bytes) -> Any:
    if text.lstrip()[:1] == b"{":
        try:  # JSON may have tabs where YAML may not
            return json.loads(text)
        except (ValueError, RecursionError):
            pass  # YAML in braces, and whoever wrote that hears of it as YAML
    try:
        for document in yaml.load_all(text, _Loader):
            return document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise Unreadable(f"{where}{_SAID.get(error.problem or '', 'it is no YAML')}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Unreadable("it is no text of YAML in UTF-8") from None
    return None


# The parser's own words may quote what stands there.
_SAID = {
    "found character '\\t' that cannot start any token": "a tab stands where YAML wants spaces",
}


def _clause(said: str) -> str:
    """What msgspec says names types and places, and no value."""
    return said.replace("`$.", "`").replace("`$`", "the whole").replace("`", "")
