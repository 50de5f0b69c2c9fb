"""Metrics for Prometheus and for Datadog, which scrapes them; nothing is sent.

Labels have few values: phases, reasons, verbs, hosts, followed tags. Never a digest or a run id:
each value of a label is a time series of its own, kept and billed [137].
"""

from collections.abc import Callable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"  # of `Metrics.render`

# A reconcile is pure thought and a patch or two: milliseconds; a slow API server: seconds.
_RECONCILE_BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0)


class Metrics:
    """One process's metrics, in a registry of their own. None of its methods waits or raises."""

    def __init__(self, version: str) -> None:
        # each counter would bring a second series with the time of its making
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
        self._registry = CollectorRegistry()
        ProcessCollector(namespace="bootstrap", registry=self._registry)
        build = self._gauge("build_info", "Always 1; the version is a label.", "version")
        build.labels(version).set(1)
        self._deployments = self._gauge("deployments", "Deployments by phase.", "phase")
        self._open_runs = self._gauge("open_runs", "Runs that are not over.")
        self._notices = self._counter("notices", "Notices by reason.", "reason")
        self._reconciles = Histogram(
            "bootstrap_reconcile_seconds",
            "How long reconciles took, by how they ended.",
            ["outcome"],
            buckets=_RECONCILE_BUCKETS,
            registry=self._registry,
        )
        self._api = self._counter(
            "api_requests", "Requests to the API server, by what came of them.", "verb", "status"
        )
        self._registries = self._counter(
            "registry_requests", "Requests to registries.", "host", "outcome"
        )
        self._quota = self._gauge(
            "registry_quota_remaining", "Pulls that a registry said are left.", "host"
        )
        self._tags = self._gauge(
            "tag_last_success_timestamp_seconds",
            "When a followed tag was last resolved.",
            "repository",
            "tag",
        )
        self._store_up = self._gauge("store_up", "1 if the store answered last.")
        self._lease_held = self._gauge("lease_held", "1 if this controller leads.")
        self._depth = self._gauge("queue_depth", "Keys that wait for a reconcile.")
        self._oldest = self._gauge(
            "queue_oldest_key_seconds", "How long the key that waits longest has waited."
        )

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"bootstrap_{name}", meaning, labels, registry=self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"bootstrap_{name}", meaning, labels, registry=self._registry)

    def render(self) -> bytes:
        """All of it in the text format of Prometheus, of type CONTENT_TYPE."""
        return generate_latest(self._registry)

    def deployments(self, by_phase: Mapping[str, int]) -> None:
        """How many Deployments are in each phase; a phase that is not named has none."""
        self._deployments.clear()
        for phase, count in by_phase.items():
            self._deployments.labels(phase).set(count)

    def open_runs(self, count: int) -> None:
        self._open_runs.set(count)

    def notice(self, reason: str) -> None:
        self._notices.labels(reason).inc()

    def reconciled(self, outcome: str, seconds: float) -> None:
        """outcome: one of a few words, such as `done`, `again`, `failed`."""
        self._reconciles.labels(outcome).observe(seconds)

    def api_request(self, verb: str, status: int | None) -> None:
        """status: of HTTP; None where no answer came."""
        self._api.labels(verb, "none" if status is None else f"{status // 100}xx").inc()

    def registry_request(self, host: str, outcome: str) -> None:
        """outcome: one of a few words, such as `ok`, `busy`, `refused`, `unavailable`."""
        self._registries.labels(host, outcome).inc()

    def quota_remaining(self, host: str, pulls: int) -> None:
        self._quota.labels(host).set(pulls)

    def tag_resolved(self, repository: str, tag: str, at: float) -> None:
        """at: seconds since 1970."""
        self._tags.labels(repository, tag).set(at)

    def tag_forgotten(self, repository: str, tag: str) -> None:
        """Nobody follows it any more: its age must not raise an alarm for ever."""
        self._tags.remove_by_labels({"repository": repository, "tag": tag})

    def store_up(self, up: bool) -> None:
        self._store_up.set(up)

    def lease_held(self, held: bool) -> None:
        self._lease_held.set(held)

    def queue(self, depth: Callable[[], float], oldest_seconds: Callable[[], float]) -> None:
        """Both are asked when somebody scrapes: they must be quick and must not raise."""
        self._depth.set_function(depth)
        self._oldest.set_function(oldest_seconds)
