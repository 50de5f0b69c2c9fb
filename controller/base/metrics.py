"""Metrics for Prometheus and for Datadog, which scrapes them; nothing is sent.

Which there are stands in `controller.base.metric_table`.
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

from controller.base import metric_table as table
from controller.base.bounded_map import BoundedMap
from controller.base.metric_table import Family, Kind

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"  # of `Metrics.render`

# A reconcile is pure thought and a patch or two: milliseconds; a slow API server: seconds.
_RECONCILE_BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0)

# Labels of each series, in the order of its family's, to the value
Series = Mapping[tuple[str, ...], float]
_Named = tuple[str, tuple[str, ...]]  # a series: its family's name, and its labels
_Shown = dict[_Named, Gauge]
# Known only to who leads: what an earlier time of leading said must not stand
_OF_LEADING = (table.DEPLOYMENTS, table.TAGS, table.TAG_AGE)

# Of one counter whose labels name targets or hosts: hundreds of them, at a few outcomes each
SERIES_KEPT = 2000


class Metrics:
    """One process's metrics, in a registry of their own. None of its methods waits or raises."""

    def __init__(self, version: str) -> None:
        # each counter would bring a second series with the time of its making
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
        self._registry = CollectorRegistry()
        ProcessCollector(namespace="bootstrap", registry=self._registry)
        self._gauges: dict[str, Gauge] = {}
        self._shown: dict[str, _Shown] = {}  # series of each, as shown last
        self._of_targets: dict[str, _Shown] = {}  # the same of each target
        self._counters: dict[str, Counter] = {}
        self._counted: dict[str, BoundedMap[tuple[str, ...], None]] = {}  # series of each
        for family in table.TABLE:
            self._add(family)
        self._reconciles = Histogram(
            table.RECONCILES.name,
            table.RECONCILES.meaning,
            table.RECONCILES.labels,
            buckets=_RECONCILE_BUCKETS,
            registry=self._registry,
        )
        self._gauge(table.BUILD_INFO).labels(version).set(1)

    def _add(self, family: Family) -> None:
        name, registry = family.name, self._registry
        if family.kind is Kind.GAUGE:
            self._gauges[name] = Gauge(name, family.meaning, family.labels, registry=registry)
        elif family.kind is Kind.COUNTER:
            self._counters[name] = Counter(name, family.meaning, family.labels, registry=registry)

    def _gauge(self, family: Family) -> Gauge:
        return self._gauges[family.name]

    def _count(self, family: Family, *labels: str) -> None:
        """For labels that come and go: a new series takes the place of the oldest."""
        counter = self._counter(family)
        counted = self._counted.setdefault(family.name, BoundedMap(SERIES_KEPT))
        if labels not in counted and len(counted) == SERIES_KEPT:
            counter.remove(*next(iter(counted)))  # which goes now
        counted[labels] = None
        counter.labels(*labels).inc()

    def _counter(self, family: Family) -> Counter:
        return self._counters[family.name]

    def render(self) -> bytes:
        """All of it in the text format of Prometheus, of type CONTENT_TYPE."""
        return generate_latest(self._registry)

    def show(self, family: Family, series: Series) -> None:
        """All series that a gauge has from now on; those that are not named are gone."""
        gauge = self._gauge(family)
        if not family.labels:
            gauge.set(series.get((), 0.0))
            return
        shown = self._shown.setdefault(family.name, {})
        self._show_only(shown, {(family.name, labels): value for labels, value in series.items()})
        if not series:  # also of what was not shown here
            gauge.clear()

    def show_target(self, target: str, found: Mapping[Family, Series]) -> None:
        """All series of OF_TARGETS that have this target as their first label, from now on."""
        shown = self._of_targets.setdefault(target, {})
        series = {
            (family.name, labels): value
            for family, some in found.items()
            for labels, value in some.items()
        }
        self._show_only(shown, series)
        if not shown:
            del self._of_targets[target]

    def _show_only(self, shown: _Shown, series: Mapping[_Named, float]) -> None:
        """shown: what is shown until now. A series that stays is kept, not made anew."""
        for name, labels in shown.keys() - series.keys():
            del shown[name, labels]
            self._gauges[name].remove(*labels)
        for (name, labels), value in series.items():
            gauge = shown.get((name, labels))
            if gauge is None:
                gauge = shown[name, labels] = self._gauges[name].labels(*labels)
            gauge.set(value)

    def leads_no_more(self) -> None:
        """What only who leads knows is gone."""
        for target in list(self._of_targets):
            self.show_target(target, {})
        for family in _OF_LEADING:
            self.show(family, {})
        for family in (table.STORE_UP, table.LAG_STEPS, table.LAG_SECONDS):
            self.show(family, {})
        self.queue(lambda: 0.0, lambda: 0.0)

    def run_ended(self, target: str, outcome: str, reason: str, side: str) -> None:
        """side: the class of a failure; empty of everything else."""
        self._count(table.RUNS, target, outcome, reason, side)

    def notice(self, reason: str) -> None:
        self._counter(table.NOTICES).labels(reason).inc()

    def webhook(self, outcome: str, count: int = 1) -> None:
        """outcome: `posted`, `summed_up` or `dropped`."""
        self._counter(table.WEBHOOK).labels(outcome).inc(count)

    def reconciled(self, outcome: str, seconds: float, *, failed: bool = False) -> None:
        """outcome: one of a few words, such as `success`, `busy`, `store`."""
        self._reconciles.labels(outcome).observe(seconds)
        if failed:
            self._counter(table.RECONCILE_ERRORS).labels(outcome).inc()

    def api_request(self, verb: str, status: int | None) -> None:
        """status: of HTTP; None where no answer came."""
        word = "none" if status is None else f"{status // 100}xx"
        self._counter(table.API).labels(verb, word).inc()

    def registry_request(self, host: str, outcome: str) -> None:
        """outcome: one of a few words, such as `ok`, `busy`, `refused`, `unavailable`."""
        self._count(table.REGISTRIES, host, outcome)

    def quota(self, host: str, *, remaining: int, limit: int) -> None:
        """Both in pulls."""
        self._gauge(table.QUOTA).labels(host).set(remaining)
        self._gauge(table.QUOTA_LIMIT).labels(host).set(limit)

    def tag_resolved(self, repository: str, tag: str, at: float) -> None:
        """at: seconds since 1970."""
        self._gauge(table.TAGS).labels(repository, tag).set(at)

    def tag_forgotten(self, repository: str, tag: str) -> None:
        """Nobody follows it any more: its age must not raise an alarm for ever."""
        self._gauge(table.TAGS).remove_by_labels({"repository": repository, "tag": tag})

    def store_up(self, up: bool) -> None:
        self._gauge(table.STORE_UP).set(up)

    def lease_held(self, held: bool) -> None:
        self._gauge(table.LEASE_HELD).set(held)

    def queue(self, depth: Callable[[], float], oldest_seconds: Callable[[], float]) -> None:
        """Both are asked when somebody scrapes: they must be quick and must not raise."""
        self._gauge(table.DEPTH).set_function(depth)
        self._gauge(table.OLDEST).set_function(oldest_seconds)
