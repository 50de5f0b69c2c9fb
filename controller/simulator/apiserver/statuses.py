"""The Status bodies of failures, and the exception that carries one to the client."""

from typing import Any

from controller.simulator.apiserver.resources import Object, Resource


class StatusError(Exception):
    """A failure as the API server says it: becomes the answer, or an ERROR event in a watch.

    code: HTTP status. body: the Status object. retry_after: seconds for the Retry-After header.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Object | None = None,
        metadata: Object | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": metadata or {},
            "status": "Failure",
            "message": message,
        }
        if reason:
            self.body["reason"] = reason
        if details is not None:
            self.body["details"] = details
        self.body["code"] = code
        self.retry_after: int | None = (details or {}).get("retryAfterSeconds")


def details_of(resource: Resource, name: str = "") -> Object:
    details: Object = {"name": name} if name else {}
    if resource.group:
        details["group"] = resource.group
    details["kind"] = resource.plural
    return details


def _named(resource: Resource, name: str) -> str:
    return f'{resource.qualified} "{name}"'


def not_found(resource: Resource, name: str) -> StatusError:
    return StatusError(
        404, "NotFound", f"{_named(resource, name)} not found", details_of(resource, name)
    )


def no_such_path() -> StatusError:
    """What a path that leads nowhere is answered with."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str) -> StatusError:
    return StatusError(
        409, "AlreadyExists", f"{_named(resource, name)} already exists", details_of(resource, name)
    )


def conflict(resource: Resource, name: str, why: str = "") -> StatusError:
    why = why or (
        "the object has been modified; please apply your changes to the latest version "
        "and try again"
    )
    return StatusError(
        409,
        "Conflict",
        f"Operation cannot be fulfilled on {_named(resource, name)}: {why}",
        details_of(resource, name),
    )


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def rejected_patch() -> StatusError:
    """A patch operation that failed: the text is dropped and `details` is empty [47]."""
    return StatusError(
        422, "Invalid", "the server rejected our request due to an error in our request", {}
    )


def unsupported_media_type() -> StatusError:
    return StatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def method_not_allowed() -> StatusError:
    return StatusError(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
        {},
    )


def too_old(requested: int, oldest: int) -> StatusError:
    return StatusError(410, "Expired", f"too old resource version: {requested} ({oldest})")


def bad_resource_version(text: str) -> StatusError:
    """A 500 without a reason, not a 400 (recording 15)."""
    return StatusError(
        500,
        "",
        f'resourceVersion: Invalid value: "{text}": '
        f'strconv.ParseUint: parsing "{text}": invalid syntax',
    )


def too_large_resource_version(requested: int, current: int) -> StatusError:
    return StatusError(
        504,
        "Timeout",
        f"Too large resource version: {requested}, current: {current}",
        {
            "causes": [
                {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            ],
            "retryAfterSeconds": 1,
        },
    )


class Cause:
    """One fault of validation: where, what kind, and the sentence."""

    def __init__(self, reason: str, message: str, where: str) -> None:
        self.reason, self.message, self.field = reason, message, where

    def as_dict(self) -> dict[str, Any]:
        return {"reason": self.reason, "message": self.message, "field": self.field}


def invalid(kind: str, group: str, name: str, causes: list[Cause]) -> StatusError:
    """422 of validation: unlike a failed patch operation it says what and where."""
    sentences = [f"{cause.field}: {cause.message}" for cause in causes]
    text = sentences[0] if len(sentences) == 1 else "[" + ", ".join(sentences) + "]"
    qualified = f"{kind}.{group}" if group else kind
    details: Object = {"name": name} if name else {}
    if group:
        details["group"] = group
    details["kind"] = kind
    details["causes"] = [cause.as_dict() for cause in causes]
    return StatusError(422, "Invalid", f'{qualified} "{name}" is invalid: {text}', details)
