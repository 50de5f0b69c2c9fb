"""A preview in words, by heading, and as plain values."""

from collections.abc import Iterator
from typing import Any

from controller.base.durations import format_duration
from controller.domain import names
from controller.inspection.preview import Preview

Told = tuple[str, tuple[str, ...]]


def tell_preview(p: Preview) -> list[Told]:
    """Heading and lines."""
    return [
        ("verdict", (_verdict(p),)),
        ("faults", tuple(f"{fault.reason}: {fault}" for fault in p.faults)),
        ("labels", tuple(_labels(p))),
        ("target", tuple(_target(p))),
        ("pins", tuple(_pins(p))),
        ("times", tuple(_times(p))),
        ("asked at", (f"port {p.port} of the pod",) if p.port is not None else ()),
    ]


def _verdict(p: Preview) -> str:
    if p.faults:
        return "it would be Blocked until what stands below is mended"
    who = f"its monitor '{p.monitor}'" if p.monitor else "the controller"
    if p.unlabelled:
        return f"it would be tested by {who}, if it had the label"
    if p.request is not None and p.request.suspended:
        return f"it is suspended: {who} would start nothing"
    return f"it would be tested by {who}"


def _labels(p: Preview) -> Iterator[str]:
    for place in p.unlabelled:
        yield f'{names.TEST}: "true" is missing in {place}'


def _target(p: Preview) -> Iterator[str]:
    r = p.request
    if r is not None:
        yield f"{r.target}: network {r.target.network}, mode {r.target.mode}"
        yield f"follows tag {r.track} of {r.node.reference.repository}, for {r.platform}"
        if r.first:
            yield f"and before it {r.first}, by {names.TEST_BUILD}"


def _pins(p: Preview) -> Iterator[str]:
    for pinned in p.request.pinned if p.request else ():
        where = "initContainers" if pinned.init else "containers"
        yield f"the image of {where} '{pinned.name}', now {pinned.reference}"
    if p.request:
        yield f"the annotation {names.RUN_ID} of the pod template, with the run's id"


def _times(p: Preview) -> Iterator[str]:
    r = p.request
    if r is not None:
        yield f"passes after {format_duration(r.soak)} of observed health"
        yield f"fails after {format_duration(r.timeout)}"
        kept = format_duration(r.keep_failed_data)
        yield f"after a failure its data is kept for {kept} before the next build"


def preview_values(p: Preview) -> dict[str, Any]:
    """Durations in seconds; null where a fault stands in the way."""
    r = p.request
    return {
        "deployment": p.name,
        "would_be_tested": not p.faults and not (r and r.suspended),
        "faults": [{"reason": fault.reason, "message": str(fault)} for fault in p.faults],
        "label": names.TEST,
        "label_missing_in": p.unlabelled,
        "target": str(r.target) if r else None,
        "network": r.target.network if r else None,
        "mode": str(r.target.mode) if r else None,
        "repository": str(r.node.reference.repository) if r else None,
        "tag": r.track if r else None,
        "platform": str(r.platform) if r else None,
        "pins": [
            {"container": x.name, "init": x.init, "image": str(x.reference)}
            for x in (r.pinned if r else ())
        ],
        "port": p.port,
        "soak": r.soak if r else None,
        "timeout": r.timeout if r else None,
        "keep_failed_data": r.keep_failed_data if r else None,
        "suspended": r.suspended if r else None,
        "monitor": p.monitor or None,
    }
