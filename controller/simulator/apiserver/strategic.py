"""Strategic merge patch: maps merge, lists of the API's merge keys merge item by item.

Also the directives `$patch: delete`, `$patch: replace`, `$setElementOrder/…` and
`$deleteFromPrimitiveList/…`; `$retainKeys` drops the keys that it does not name.
"""

from typing import Any

from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.schema import SETS, merge_key
from controller.simulator.apiserver.statuses import bad_request


def apply_strategic_patch(document: Object, patch: Any) -> Object:
    """The patched object; shares what it did not change with the document."""
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: a strategic merge patch is a JSON object")
    return _merge_map(document, patch)


def _merge_map(document: Object, patch: Object) -> Object:
    directive = patch.get("$patch")
    if directive in {"replace", "delete"}:
        rest = patch if directive == "replace" else {}
        return {k: _clean(v) for k, v in rest.items() if not k.startswith("$") and v is not None}
    result = dict(document)
    retained = patch.get("$retainKeys")
    if isinstance(retained, list):
        result = {k: v for k, v in result.items() if k in retained}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            field = key.partition("/")[2]
            result[field] = [item for item in result.get(field, []) if item not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = _merge_value(key, result.get(key), value)
    return _set_orders(result, patch)


def _set_orders(result: Object, patch: Object) -> Object:
    for key, order in patch.items():
        field = key.removeprefix("$setElementOrder/")
        if field != key and isinstance(result.get(field), list):
            result[field] = _ordered(field, result[field], order)
    return result


def _merge_value(field: str, old: Any, new: Any) -> Any:
    if isinstance(new, dict):
        return _merge_map(old if isinstance(old, dict) else {}, new)
    if isinstance(new, list):
        return _merge_list(field, old if isinstance(old, list) else [], new)
    return new


def _merge_list(field: str, old: list[Any], new: list[Any]) -> list[Any]:
    if field in SETS:
        return old + [item for item in new if item not in old]
    if any(not isinstance(item, dict) for item in new):
        return new
    if any(item.get("$patch") == "replace" for item in new):
        return [_clean(item) for item in new if "$patch" not in item]
    key = merge_key(field, old + new)
    if key is None:
        return [_clean(item) for item in new]
    result = list(old)
    added: list[Any] = []
    for item in new:
        if key not in item:
            raise bad_request(f"map: {sorted(item)} does not contain declared merge key: {key}")
        position = next((i for i, it in enumerate(result) if it.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            if position is not None:
                del result[position]
        elif position is None:
            added.append(_clean(item))
        else:
            result[position] = _merge_map(result[position], item)
    # What the patch adds comes before what was there (recording 33).
    return added + result


def _ordered(field: str, items: list[Any], order: list[Any]) -> list[Any]:
    """The items that `order` names in its order, in the places that such items have now."""
    key = merge_key(field, items)

    def name(item: Any) -> Any:
        return item.get(key) if isinstance(item, dict) and key else item

    wanted = [name(item) for item in order]
    named = iter(
        sorted((i for i in items if name(i) in wanted), key=lambda i: wanted.index(name(i)))
    )
    return [next(named) if name(item) in wanted else item for item in items]


def _clean(value: Any) -> Any:
    """The value without directives and nulls, as it is stored where nothing was before."""
    if isinstance(value, dict):
        return {k: _clean(v) for k, v in value.items() if not k.startswith("$") and v is not None}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
