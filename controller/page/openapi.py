"""The description of `/api/v1`, made from the views themselves."""

import re
from typing import Any

import msgspec

from controller.page import api
from controller.page.asked import LIMIT, MOST
from controller.page.library import RunPageView
from controller.views.build import BuildView
from controller.views.deployment import DeploymentView
from controller.views.poll import PollView
from controller.views.target import TargetView

# Path below /api/v1 to what it tells and the type of its answer.
PATHS: dict[str, tuple[str, Any]] = {
    "/deployments": ("All labelled Deployments", api.Listing[DeploymentView]),
    "/targets": ("All targets with their last runs", api.Listing[TargetView]),
    "/targets/{target}": ("A target and its runs, newest first", api.One[TargetView]),
    "/runs/{target}/{run}": ("One run", api.One[RunPageView]),
    "/builds": ("All builds, newest first", api.Listing[BuildView]),
    "/builds/{digest}": ("A build, by a digest or its beginning", api.One[BuildView]),
    "/polls": ("Followed tags, and how the registry answers", api.Listing[PollView]),
    "/history": ("Changes of phases, newest first", api.Listing[api.TransitionView]),
}
_PAGED = ("/deployments", "/targets", "/targets/{target}", "/builds", "/polls", "/history")


class ErrorView(msgspec.Struct, frozen=True):
    """Why there is no answer."""

    error: str  # one sentence


def describe(version: str) -> dict[str, Any]:
    """An OpenAPI document. version: of this program."""
    types = [kind for _, kind in PATHS.values()]
    template = "#/components/schemas/{name}"
    schemas, components = msgspec.json.schema_components(
        [*types, ErrorView], schema_hook=_anything, ref_template=template
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bootstrap-controller",
            "version": version,
            "description": "What the page shows, as JSON. Times are UTC, durations seconds; null is"
            " what is not known.",
        },
        "servers": [{"url": "/api/v1"}],
        "paths": {
            path: {"get": _operation(path, meaning, schema, schemas[-1])}
            for (path, (meaning, _)), schema in zip(PATHS.items(), schemas, strict=False)
        },
        "components": {"schemas": components},
    }


def _anything(kind: type) -> dict[str, Any]:
    """Of a value of any kind; msgspec is told of any other by NotImplementedError."""
    if kind is object:
        return {"description": "any value"}
    raise NotImplementedError


def _operation(
    path: str, meaning: str, schema: dict[str, Any], error: dict[str, Any]
) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    if path in _PAGED:
        limit = {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}
        parameters += [
            {"name": "limit", "in": "query", "schema": limit},
            {
                "name": "before",
                "in": "query",
                "description": "`next` of the answer before",
                "schema": {"type": "string"},
            },
        ]
    words = {
        "400": "The question cannot be read",
        "404": "Nobody knows it; the nearest names are told",
        "503": "This controller does not lead, or the store is too slow",
    }
    responses: dict[str, Any] = {"200": _response(meaning, schema)}
    responses |= {status: _response(text, error) for status, text in words.items()}
    return {
        "operationId": re.sub(r"\W+", "_", path).strip("_"),
        "summary": meaning,
        "parameters": parameters,
        "responses": responses,
    }


def _response(meaning: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}
