"""RFC 7386: JSON merge patch. Lists are replaced whole (recording 19)."""

from typing import Any


def apply_merge_patch(document: Any, patch: Any) -> Any:
    """The patched value; shares what it did not change with the document."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply_merge_patch(result.get(key), value)
    return result
