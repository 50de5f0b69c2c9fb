"""RFC 6902, with the peculiarities of the library that kube-apiserver 1.36 uses (recordings 20-31).

They are: `test` for null passes where the key is absent; `replace` of a key that an existing map
lacks acts as `add` (31); a missing parent fails even for `test`, unless its value is null.
"""

from typing import Any

from controller.simulator.apiserver.statuses import StatusError, bad_request, rejected_patch
from controller.simulator.apiserver.storage import copied

# More operations than this are refused [48].
MAX_OPERATIONS = 10_000

_MISSING = object()


class _Failed(Exception):
    """An operation that does not apply; the server does not say which."""


def apply_json_patch(document: Any, patch: Any) -> Any:
    """The patched copy; StatusError 422 where an operation fails, 400 or 413 for a bad patch."""
    if not isinstance(patch, list) or not all(isinstance(op, dict) for op in patch):
        raise bad_request("error decoding patch: json: cannot unmarshal into jsonpatch.Patch")
    if len(patch) > MAX_OPERATIONS:
        raise StatusError(
            413,
            "RequestEntityTooLarge",
            f"Request entity too large: The allowed maximum operations in a JSON patch is "
            f"{MAX_OPERATIONS}, got {len(patch)}",
            {},
        )
    result = copied(document)
    try:
        for operation in patch:
            result = _apply(result, operation)
    except _Failed:
        raise rejected_patch() from None
    return result


def _apply(document: Any, operation: dict[str, Any]) -> Any:
    path = _tokens(operation.get("path"))
    match operation.get("op"):
        case "test":
            actual = _get(document, path)
            expected = operation.get("value")
            if not _equal(None if actual is _MISSING else actual, expected):
                raise _Failed
            return document
        case "add":
            return _add(document, path, _value(operation))
        case "replace":
            return _replace(document, path, _value(operation))
        case "remove":
            return _remove(document, path)
        case "move":
            moved = _existing(document, _tokens(operation.get("from")))
            document = _remove(document, _tokens(operation.get("from")))
            return _add(document, path, moved)
        case "copy":
            return _add(document, path, copied(_existing(document, _tokens(operation.get("from")))))
        case _:
            raise _Failed


def _value(operation: dict[str, Any]) -> Any:
    return operation.get("value")


def _tokens(path: Any) -> list[str]:
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise _Failed
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _equal(left: Any, right: Any) -> bool:
    """JSON equality: true is not 1, but 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return bool(left == right)


def _index(token: str, length: int) -> int:
    """Negative indices count from the end, as the library allows by default."""
    try:
        index = int(token)
    except ValueError:
        raise _Failed from None
    if index < 0:
        index += length
    if not 0 <= index < length:
        raise _Failed
    return index


def _child(container: Any, token: str) -> Any:
    """What is there, or _MISSING; an index beyond a list is a failure, not absence."""
    if isinstance(container, dict):
        return container.get(token, _MISSING)
    if isinstance(container, list):
        return container[_index(token, len(container))]
    raise _Failed


def _get(document: Any, path: list[str]) -> Any:
    node = document
    for position, token in enumerate(path):
        node = _child(node, token)
        if node is _MISSING or (node is None and position < len(path) - 1):
            if position < len(path) - 1:
                raise _Failed
            return _MISSING
    return node


def _existing(document: Any, path: list[str]) -> Any:
    node = _get(document, path)
    if node is _MISSING:
        raise _Failed
    return node


def _parent(document: Any, path: list[str]) -> tuple[Any, str]:
    parent = _existing(document, path[:-1])
    if not isinstance(parent, dict | list):
        raise _Failed
    return parent, path[-1]


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, token = _parent(document, path)
    if isinstance(parent, dict):
        parent[token] = value
    elif token == "-":
        parent.append(value)
    else:
        parent.insert(_index(token, len(parent) + 1), value)
    return document


def _replace(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, token = _parent(document, path)
    if isinstance(parent, dict):
        parent[token] = value
    else:
        parent[_index(token, len(parent))] = value
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        raise _Failed
    parent, token = _parent(document, path)
    if isinstance(parent, dict):
        if token not in parent:
            raise _Failed
        del parent[token]
    else:
        del parent[_index(token, len(parent))]
    return document
