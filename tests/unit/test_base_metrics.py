"""Metrics: what a scrape shows, and that no label has many values."""

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from controller.base.metrics import CONTENT_TYPE, Metrics


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample, written as in a query, without those of the process."""
    text = metrics.render().decode()
    return {
        sample.name
        + ("{" + ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items())) + "}")
        * bool(sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.startswith("bootstrap_process_") and "_bucket" not in sample.name
    }


def test_everything_that_is_counted_is_shown() -> None:
    """Does each method end in the series that it is named for?"""
    metrics = Metrics("1.2.3")
    metrics.deployments({"Bootstrapping": 2, "Idle": 1})
    metrics.open_runs(2)
    metrics.notice("CrashLoop")
    metrics.notice("CrashLoop")
    metrics.reconciled("done", 0.25)
    metrics.api_request("PATCH", 422)
    metrics.api_request("GET", None)
    metrics.registry_request("docker.io", "ok")
    metrics.quota_remaining("docker.io", 76)
    metrics.tag_resolved("docker.io/a/b", "latest", 1_795_000_000.0)
    metrics.store_up(True)
    metrics.lease_held(False)
    metrics.queue(lambda: 3.0, lambda: 1.5)
    assert samples(metrics) == {
        "bootstrap_build_info{version=1.2.3}": 1,
        "bootstrap_deployments{phase=Bootstrapping}": 2,
        "bootstrap_deployments{phase=Idle}": 1,
        "bootstrap_open_runs": 2,
        "bootstrap_notices_total{reason=CrashLoop}": 2,
        "bootstrap_reconcile_seconds_count{outcome=done}": 1,
        "bootstrap_reconcile_seconds_sum{outcome=done}": 0.25,
        "bootstrap_api_requests_total{status=4xx,verb=PATCH}": 1,
        "bootstrap_api_requests_total{status=none,verb=GET}": 1,
        "bootstrap_registry_requests_total{host=docker.io,outcome=ok}": 1,
        "bootstrap_registry_quota_remaining{host=docker.io}": 76,
        "bootstrap_tag_last_success_timestamp_seconds{repository=docker.io/a/b,tag=latest}": (
            1_795_000_000.0
        ),
        "bootstrap_store_up": 1,
        "bootstrap_lease_held": 0,
        "bootstrap_queue_depth": 3,
        "bootstrap_queue_oldest_key_seconds": 1.5,
    }


def test_a_phase_that_is_empty_again_is_not_shown_with_its_old_count() -> None:
    """Does the last Deployment that leaves a phase take the number with it?"""
    metrics = Metrics("1")
    metrics.deployments({"Failed": 1})
    metrics.deployments({"Idle": 1})
    assert not [name for name in samples(metrics) if "Failed" in name]


def test_a_tag_that_nobody_follows_any_more_ages_no_longer() -> None:
    """Is a forgotten tag gone from the scrape, and is forgetting it twice harmless?"""
    metrics = Metrics("1")
    metrics.tag_resolved("r", "latest", 1.0)
    metrics.tag_forgotten("r", "latest")
    metrics.tag_forgotten("r", "latest")
    assert not [name for name in samples(metrics) if "latest" in name]


def test_no_metric_has_a_label_of_many_values() -> None:
    """Are digests and run ids no labels, and is a status only its class [137]?"""
    metrics = Metrics("1")
    for status in range(200, 300):
        metrics.api_request("GET", status)
    api = [name for name in samples(metrics) if "api_requests" in name]
    assert api == ["bootstrap_api_requests_total{status=2xx,verb=GET}"]


def test_two_controllers_in_one_process_do_not_share_numbers() -> None:
    """Is the registry our own, so that a second one is possible and the global one stays clean?"""
    first, second = Metrics("1"), Metrics("1")
    first.open_runs(5)
    assert samples(second)["bootstrap_open_runs"] == 0
    assert not [family for family in REGISTRY.collect() if family.name.startswith("bootstrap_")]


def test_the_process_is_shown_too() -> None:
    """Can memory and file descriptors be watched, and is the type the one of that format?"""
    assert b"bootstrap_process_resident_memory_bytes" in Metrics("1").render()
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")
