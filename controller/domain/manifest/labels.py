"""The label by which Deployment, pods and Service are seen: where it is missing, and all as if it
were there.
"""

from collections.abc import Iterator

import msgspec

from controller.domain import names
from controller.domain.metadata import CommonMetadata
from controller.domain.objects import Deployment, Service


def places_without_label(deployment: Deployment, service: Service | None) -> list[str]:
    """Where a manifest lacks the label, in words that lead a person there."""
    return list(_places(deployment, service))


def _places(deployment: Deployment, service: Service | None) -> Iterator[str]:
    if not _has(deployment.metadata):
        yield "metadata.labels of the Deployment"
    if not _has(deployment.spec.template.metadata):
        yield "spec.template.metadata.labels of the Deployment, by which its pods are seen"
    if service is not None and not _has(service.metadata):
        yield "metadata.labels of its Service"


def labelled(deployment: Deployment) -> Deployment:
    """As it would be with the label on itself and on its pods."""
    template = deployment.spec.template
    spec = msgspec.structs.replace(
        deployment.spec,
        template=msgspec.structs.replace(template, metadata=_with(template.metadata)),
    )
    return msgspec.structs.replace(deployment, metadata=_with(deployment.metadata), spec=spec)


def _has(metadata: CommonMetadata) -> bool:
    return metadata.label(names.TEST) == "true"


def _with(metadata: CommonMetadata) -> CommonMetadata:
    labels = {**(metadata.labels or {}), names.TEST: "true"}
    return msgspec.structs.replace(metadata, labels=labels)
