"""Admission, as far as a test plays it: what a policy is shown, and how it refuses [180].

A policy is any callable that is given a `Review` and raises one of these to refuse it.
"""

from dataclasses import dataclass

from controller.simulator.apiserver.resources import Object, Resource
from controller.simulator.apiserver.statuses import StatusError, details_of


@dataclass(frozen=True)
class Review:
    """A write that is about to be stored; both objects are to be left as they are."""

    resource: Resource
    new: Object
    old: Object | None  # None for a create
    manager: str  # field manager of whoever writes
    dry_run: bool

    @property
    def name(self) -> str:
        return str(self.new["metadata"]["name"])


def denied_by_policy(review: Review, why: str, policy: str = "policy") -> StatusError:
    """A ValidatingAdmissionPolicy that names no reason of its own."""
    said = f"ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request: {why}"
    resource = review.resource
    details = details_of(resource, review.name) | {"causes": [{"message": said}]}
    message = f'{resource.qualified} "{review.name}" is forbidden: {said}'
    return StatusError(422, "Invalid", message, details)


def denied_by_webhook(why: str, webhook: str = "policy.example", code: int = 403) -> StatusError:
    """A validating webhook that was asked, and says no."""
    return StatusError(
        code, "Forbidden", f'admission webhook "{webhook}" denied the request: {why}'
    )


def webhook_down(why: str, webhook: str = "policy.example") -> StatusError:
    """A webhook with `failurePolicy: Fail` that nobody reaches."""
    said = (
        f'failed calling webhook "{webhook}": failed to call webhook:'
        f' Post "https://{webhook}/validate?timeout=10s": {why}'
    )
    return StatusError(
        500, "InternalError", f"Internal error occurred: {said}", {"causes": [{"message": said}]}
    )


def no_dry_run(webhook: str = "policy.example") -> StatusError:
    """A webhook that may have side effects, and a write that is tried out only [181]."""
    return StatusError(400, "BadRequest", f'admission webhook "{webhook}" does not support dry run')
