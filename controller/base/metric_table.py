"""The table of metrics: every name, what it means and its labels.

`controller.base.metrics`, docs/reference.md, the rules and the dashboards go by it. Labels have few
values: targets, phases, reasons, verbs, hosts, followed tags. Never a digest or a run id: each
value of a label is a time series of its own, kept and billed [137].
"""

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "bootstrap_"


class Kind(StrEnum):
    """Of Prometheus."""

    GAUGE = "gauge"  # how it stands now: from the records, so a new controller says the same
    COUNTER = "counter"  # since this process began, from 0
    HISTOGRAM = "histogram"  # as a counter


@dataclass(frozen=True)
class Family:
    """All series of one name. No label is called `host` or `service`: Datadog has those of its own,
    and a series would have two.
    """

    name: str  # as scraped
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()

    @property
    def datadog(self) -> str:
        """Its name in Datadog, as its agent makes it (k8s/components/datadog)."""
        name = self.name.removeprefix(PREFIX).removesuffix("_total")
        return f"bootstrap.{name}.count" if self.kind is Kind.COUNTER else f"bootstrap.{name}"


def _gauge(name: str, meaning: str, *labels: str) -> Family:
    return Family(PREFIX + name, Kind.GAUGE, meaning, labels)


def _counter(name: str, meaning: str, *labels: str) -> Family:
    return Family(f"{PREFIX}{name}_total", Kind.COUNTER, meaning, labels)


BUILD_INFO = _gauge("build_info", "Always 1; the version is a label.", "version")
DEPLOYMENTS = _gauge("deployments", "Deployments by phase.", "phase")

# Of the runs that are open
OPEN_RUNS = _gauge("open_runs", "Runs that are not over.", "target", "phase")
PHASE_SECONDS = _gauge(
    "open_run_phase_seconds", "How long the open run has been in its phase.", "target", "phase"
)
CONDITIONS = _gauge(
    "open_run_conditions",
    "Open runs with trouble that lasts and that people were told of.",
    "target",
    "type",
)
CRASHES = _gauge(
    "open_run_crashes",
    "Ends of the open run's node since it was last up for hours.",
    "target",
)
STAGE_DONE = _gauge(
    "open_run_stage_done",
    "What the open run's node has done of a stage of a chain, in all its processes.",
    "target",
    "chain",
    "stage",
)
PROGRESS = _gauge(
    "open_run_progress_ratio",
    "Share of its bootstrap that the open run has behind it, as earlier runs went.",
    "target",
)
LEFT = _gauge(
    "open_run_left_seconds",
    "Time until the open run has bootstrapped, as earlier runs went.",
    "target",
)
UNFINISHED = _gauge(
    "unfinished_seconds",
    "How long runs have been open on the target without one that finished; 0 without an open run.",
    "target",
)

# Of the runs that are over
USUAL = _gauge(
    "usual_run_seconds",
    "Median of the target's last passed runs, from the node's first start to the end.",
    "target",
)
LAST_END = _gauge("last_run_end_timestamp_seconds", "When the target's last run ended.", "target")
LAST_SECONDS = _gauge(
    "last_run_seconds",
    "How long the target's last run with that outcome took from the node's first start.",
    "target",
    "outcome",
)
LAST_BOOTSTRAP = _gauge(
    "last_pass_bootstrap_seconds",
    "Observed time until the node of the target's last passed run had bootstrapped.",
    "target",
)
LAST_FAILED = _gauge(
    "last_run_failed",
    "1 if the target's last verdict is a failure of that class, else 0.",
    "target",
    "class",
)
RUNS = _counter(
    "runs", "Runs that ended, by how they ended.", "target", "outcome", "reason", "class"
)

# Of the controller's own work
NOTICES = _counter("notices", "Notices by reason.", "reason")
WEBHOOK = _counter("webhook_notices", "Notices for the webhook by what came of them.", "outcome")
RECONCILES = Family(
    PREFIX + "reconcile_seconds",
    Kind.HISTOGRAM,
    "How long reconciles took, by how they ended.",
    ("outcome",),
)
RECONCILE_ERRORS = _counter("reconcile_errors", "Reconciles that failed, by why.", "why")
API = _counter(
    "api_requests", "Requests to the API server, by what came of them.", "verb", "status"
)
REGISTRIES = _counter("registry_requests", "Requests to registries.", "registry", "outcome")
QUOTA = _gauge("registry_quota_remaining", "Pulls that a registry said are left.", "registry")
QUOTA_LIMIT = _gauge(
    "registry_quota_limit", "Pulls that a registry said are allowed in its window.", "registry"
)
TAGS = _gauge(
    "tag_last_success_timestamp_seconds",
    "When a followed tag was last resolved.",
    "repository",
    "tag",
)
TAG_AGE = _gauge(
    "tag_age_seconds",
    "Time since a followed tag was last resolved, or since it is followed without success.",
    "repository",
    "tag",
)
LAG_STEPS = _gauge(
    "history_lag_steps", "Steps of the records that sinks and history may not have yet."
)
LAG_SECONDS = _gauge(
    "history_lag_seconds",
    "Age of the oldest step that sinks and history may not have yet; 0 if they have all.",
)
STORE_UP = _gauge("store_up", "1 if the store answered last; 0 too for who does not lead.")
LEASE_HELD = _gauge("lease_held", "1 if this controller leads.")
DEPTH = _gauge("queue_depth", "Keys that wait for a reconcile.")
OLDEST = _gauge("queue_oldest_key_seconds", "How long the key that waits longest has waited.")

# Gauges whose first label is a target
OF_TARGETS: tuple[Family, ...] = (
    OPEN_RUNS, PHASE_SECONDS, CONDITIONS, CRASHES, STAGE_DONE, PROGRESS, LEFT, UNFINISHED,
    USUAL, LAST_END, LAST_SECONDS, LAST_BOOTSTRAP, LAST_FAILED,
)  # fmt: skip
TABLE: tuple[Family, ...] = (
    BUILD_INFO, DEPLOYMENTS, *OF_TARGETS, RUNS,
    NOTICES, WEBHOOK, RECONCILES, RECONCILE_ERRORS,
    API, REGISTRIES, QUOTA, QUOTA_LIMIT, TAGS, TAG_AGE,
    LAG_STEPS, LAG_SECONDS, STORE_UP, LEASE_HELD, DEPTH, OLDEST,
)  # fmt: skip
