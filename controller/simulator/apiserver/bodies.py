"""Reading what clients send: bodies, content types, and the options of writes."""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.statuses import (
    Cause,
    StatusError,
    bad_request,
    invalid,
    unsupported_media_type,
)

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PATCHES = frozenset({JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH})

# Printable characters at most in a manager's name [54].
MAX_MANAGER = 128


async def read_json(request: web.Request) -> Any:
    """The body as JSON. (Apply bodies are YAML by name; JSON is YAML, and all that we read.)"""
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise StatusError(
            413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728", {}
        ) from None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        raise bad_request(f"the object provided is unrecognized: {exc}") from None


async def read_object(request: web.Request) -> Object:
    """The body of a create or an update."""
    if request.content_type not in {"application/json", "application/octet-stream"}:
        raise StatusError(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json",
            {},
        )
    body = await read_json(request)
    if not isinstance(body, dict):
        raise bad_request("the object provided is unrecognized: not a JSON object")
    return body


def patch_type(request: web.Request) -> str:
    """One of the four; StatusError 415 (recording 37)."""
    if request.content_type not in PATCHES:
        raise unsupported_media_type()
    return request.content_type


def manager_of(request: web.Request, kind: str) -> str:
    """Who writes: `fieldManager`, or the User-Agent up to its slash [54]."""
    manager = request.query.get("fieldManager", "")
    causes: list[Cause] = []
    if len(manager) > MAX_MANAGER:
        causes.append(
            Cause(
                "FieldValueTooLong",
                f"Too long: may not be more than {MAX_MANAGER} bytes",
                "fieldManager",
            )
        )
    if not manager.isprintable():
        causes.append(
            Cause(
                "FieldValueInvalid",
                "Invalid value: should only contain printable characters",
                "fieldManager",
            )
        )
    if request.content_type == APPLY_PATCH and not manager:
        causes.append(
            Cause(
                "FieldValueRequired", "Required value: is required for apply patch", "fieldManager"
            )
        )
    if (
        request.method == "PATCH"
        and request.content_type != APPLY_PATCH
        and "force" in request.query
    ):
        causes.append(
            Cause(
                "FieldValueForbidden",
                "Forbidden: may not be specified for non-apply patch",
                "force",
            )
        )
    if causes:
        raise invalid(kind, "meta.k8s.io", "", causes)
    return manager or request.headers.get("User-Agent", "").partition("/")[0] or "unknown"


def is_dry_run(query: Mapping[str, str]) -> bool:
    """Whether `dryRun=All`; any other value is a mistake."""
    value = query.get("dryRun", "")
    if value not in {"", "All"}:
        raise invalid(
            "UpdateOptions",
            "meta.k8s.io",
            "",
            [
                Cause(
                    "FieldValueNotSupported",
                    f'Unsupported value: "{value}": supported values: "All"',
                    "dryRun",
                )
            ],
        )
    return value == "All"
