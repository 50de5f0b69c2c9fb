"""Ends that others asked for: a node that its kubelet stops in its place, with 0 or by a signal."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from controller.base.text import shown
from controller.domain.evidence import PodEvent
from controller.domain.objects import Container, StateTerminated
from controller.domain.pods.run_pods import RunPods
from controller.domain.pods.stamps import believed

# Conditions of a pod that somebody ends, or whose containers are given other resources.
_CHANGING = frozenset({"DisruptionTarget", "PodResizeInProgress", "PodResizePending"})
# What a kubelet says in an Event of a container that it stops and starts again
# [K pkg/kubelet/kuberuntime/kuberuntime_manager.go].
_ORDER = re.compile(
    r"Container (?P<name>[a-z0-9-]{1,63}) (?P<why>failed (?:liveness|startup) probe|resize requires"
    r" restart|definition changed)"
)
# From the order to the end: a grace period, and the kubelet's delay.
_LONGEST = timedelta(minutes=15)
_SLACK = timedelta(minutes=1)


def why_stopped(pods: RunPods) -> str:
    """Why a kubelet may have stopped the node in its place: a probe that kills, a pod that is
    disrupted, resources that are changed by a restart. A clause; empty where nothing could have.
    """
    if pods.pod is None or pods.status is None:
        return ""
    for condition in pods.pod.status.conditions or ():
        if condition.type in _CHANGING and condition.status == "True":
            told = f"{condition.type}: {condition.message or condition.reason}"
            return f"its pod says {shown(told.rstrip(': '), 120)}"
    container = pods.pod.spec.container(pods.status.name)
    return _by_rule(container) if container is not None else ""


def ordered(events: Iterable[PodEvent], container: str, end: StateTerminated) -> str:
    """Why the kubelet stopped the process, by its Events about the pod; empty: none says so."""
    for event in reversed(list(events)):
        found = _ORDER.match(event.message) if event.reason == "Killing" else None
        if found and found["name"] == container and _led_to(event.at, end):
            return f"the kubelet stopped it: {shown(event.message, 120)}"
    return ""


def _by_rule(container: Container) -> str:
    if container.liveness_probe is not None:
        return "its liveness probe may have had it stopped"
    if container.startup_probe is not None:
        return "its startup probe may have had it stopped"
    if any(p.restart_policy == "RestartContainer" for p in container.resize_policy or ()):
        return "a change of its resources may have had it stopped"
    return ""


def _led_to(order: datetime | None, end: StateTerminated) -> bool:
    """Events that repeat keep one object, whose time is that of the newest."""
    ordered_at, ended = believed(order), believed(end.finished_at)
    if ordered_at is None or ended is None:
        return False
    return -_SLACK <= ended - ordered_at <= _LONGEST
