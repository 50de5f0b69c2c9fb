"""The API as the reference page tells it, from its OpenAPI description."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from controller.page.openapi import describe

_LISTING = re.compile(r"(Listing|One)_(\w+)_")  # an answer, and the type of what is in it


def paths() -> Iterator[tuple[str, str, str, str]]:
    """Path below /api/v1, its parameters, the type that it answers with, and what it tells."""
    for path, operations in _document()["paths"].items():
        operation = operations["get"]
        asked = ", ".join(f"`{p['name']}`" for p in operation["parameters"] if p["in"] == "query")
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
        yield path, asked, _name(answer["$ref"]), operation["summary"]


def fields() -> Iterator[tuple[str, str, str]]:
    """Type, field and the kind of its value, of everything that an answer may hold."""
    for name, schema in _document()["components"]["schemas"].items():
        for field, kind in schema["properties"].items():
            yield _shown(name), field, kind_of(kind)


def kind_of(schema: Mapping[str, Any]) -> str:
    """In words: `time`, `list of RunView`, `number or null`."""
    if "anyOf" in schema:
        return " or ".join(kind_of(each) for each in schema["anyOf"])
    if "$ref" in schema:
        return _name(schema["$ref"])
    if schema.get("format") == "date-time":
        return "time"
    match schema.get("type"):
        case "array":
            items = schema.get("items") or {}
            inner = schema.get("prefixItems") or [items]
            return f"list of {kind_of(inner[0])}"
        case "object":
            return "object"
        case str(word):
            return word
    return "any value"


def _document() -> dict[str, Any]:
    return describe("")


def _name(reference: str) -> str:
    return _shown(reference.rpartition("/")[2])


def _shown(name: str) -> str:
    found = _LISTING.fullmatch(name)
    return f"{found[1]} of {found[2]}" if found else name
