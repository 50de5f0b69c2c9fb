"""Label and field selectors as the API server reads them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from controller.simulator.apiserver.resources import Object, Resource
from controller.simulator.apiserver.statuses import bad_request

Matcher = Callable[[Object], bool]
_Labels = Mapping[str, str]

_KEY = r"(?P<key>[A-Za-z0-9./_-]+)"
_SET = re.compile(rf"^{_KEY}\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUAL = re.compile(rf"^{_KEY}\s*(?P<op>==|!=|=)\s*(?P<value>[A-Za-z0-9._-]*)$")
_EXISTS = re.compile(rf"^(?P<not>!?)\s*{_KEY}$")

_NAMED = re.compile(r"^metadata\.name==?(?P<name>[^=].*)$")

_OLDER_NAMES = {"regarding": "involvedObject", "reportingController": "reportingComponent"}


def label_selector(text: str) -> Callable[[_Labels], bool]:
    """A predicate on labels; StatusError 400 where the text cannot be read."""
    requirements = [_requirement(part.strip()) for part in _split(text)]
    return lambda labels: all(requirement(labels) for requirement in requirements)


def _split(text: str) -> list[str]:
    """At commas outside parentheses."""
    return re.split(r",(?![^(]*\))", text) if text.strip() else []


def _requirement(part: str) -> Callable[[_Labels], bool]:
    if found := _SET.match(part):
        key = found["key"]
        values = {value.strip() for value in found["values"].split(",")}
        if found["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(part):
        key, value = found["key"], found["value"]
        if found["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.match(part):
        key, absent = found["key"], bool(found["not"])
        return lambda labels: (key in labels) is not absent
    raise bad_request(f'unable to parse requirement: found "{part}", expected: identifier')


def field_selector(text: str, resource: Resource) -> Matcher:
    """A predicate on objects; StatusError 400 for a field that the kind does not support."""
    requirements: list[Matcher] = []
    for part in filter(None, text.split(",")):
        found = re.match(r"^([^=!]+)(!=|==|=)(.*)$", part)
        if found is None:
            raise bad_request(f'invalid selector: "{text}"; can\'t understand "{part}"')
        field, operator, value = found.groups()
        if field not in {"metadata.name", "metadata.namespace", *resource.fields}:
            raise bad_request(f"field label not supported: {field}")
        requirements.append(_field(_stored(field), operator, value))
    return lambda obj: all(requirement(obj) for requirement in requirements)


def selected_name(text: str) -> str:
    """The one name that a field selector asks for, which authorization takes for the request's own;
    empty where it asks for none, or for what is no name
    [K apiserver/pkg/endpoints/request/requestinfo.go].
    """
    for part in text.split(","):
        if found := _NAMED.match(part):
            name = found["name"]
            return "" if name in {".", ".."} or "/" in name or "%" in name else name
    return ""


def _stored(field: str) -> str:
    """Where a field lies that the newer view of Events names otherwise."""
    head, dot, rest = field.partition(".")
    return _OLDER_NAMES.get(head, head) + dot + rest


def _field(field: str, operator: str, value: str) -> Matcher:
    def matches(obj: Object) -> bool:
        node: Any = obj
        for part in field.split("."):
            node = node.get(part) if isinstance(node, dict) else None
        if field == "source":  # of an Event: by whichever of its recorders' fields it is named
            node = (node or {}).get("component") or obj.get("reportingComponent")
        text = "" if node is None else str(node)
        return (text != value) if operator == "!=" else (text == value)

    return matches


def matcher(labels: str, fields: str, resource: Resource) -> Matcher | None:
    """Both selectors as one predicate on objects; None where both are empty."""
    if not labels.strip() and not fields:
        return None
    by_label = label_selector(labels)
    by_field = field_selector(fields, resource)
    return lambda obj: by_label(obj["metadata"].get("labels") or {}) and by_field(obj)


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A LabelSelector as text, as `status.selector` of a Scale shows it."""
    selector = selector or {}
    parts = [f"{k}={v}" for k, v in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or []:
        key, values = expression["key"], ",".join(sorted(expression.get("values") or []))
        match expression["operator"]:
            case "In":
                parts.append(f"{key} in ({values})")
            case "NotIn":
                parts.append(f"{key} notin ({values})")
            case "Exists":
                parts.append(key)
            case _:
                parts.append(f"!{key}")
    return ",".join(parts)
