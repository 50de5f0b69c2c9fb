"""Metrics: what a scrape shows, and that no label has many values."""

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from controller.base import metric_table as table
from controller.base.metrics import CONTENT_TYPE, SERIES_KEPT, Metrics


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
    metrics.show(table.DEPLOYMENTS, {("Bootstrapping",): 2, ("Idle",): 1})
    metrics.show_target(
        "fuji-full-sync", {table.OPEN_RUNS: {("fuji-full-sync", "Bootstrapping"): 2}}
    )
    metrics.show(table.LAG_STEPS, {(): 4})
    metrics.run_ended("fuji-full-sync", "Failed", "BadBlock", "client")
    metrics.notice("CrashLoop")
    metrics.notice("CrashLoop")
    metrics.webhook("dropped", 2)
    metrics.reconciled("success", 0.25)
    metrics.reconciled("store", 0.5, failed=True)
    metrics.api_request("PATCH", 422)
    metrics.api_request("GET", None)
    metrics.registry_request("docker.io", "ok")
    metrics.quota("docker.io", remaining=76, limit=100)
    metrics.tag_resolved("docker.io/a/b", "latest", 1_795_000_000.0)
    metrics.store_up(True)
    metrics.lease_held(False)
    metrics.queue(lambda: 3.0, lambda: 1.5)
    assert samples(metrics) == {
        "bootstrap_build_info{version=1.2.3}": 1,
        "bootstrap_deployments{phase=Bootstrapping}": 2,
        "bootstrap_deployments{phase=Idle}": 1,
        "bootstrap_open_runs{phase=Bootstrapping,target=fuji-full-sync}": 2,
        "bootstrap_runs_total{class=client,outcome=Failed,reason=BadBlock,target=fuji-full-sync}": (
            1
        ),
        "bootstrap_history_lag_steps": 4,
        "bootstrap_history_lag_seconds": 0,
        "bootstrap_notices_total{reason=CrashLoop}": 2,
        "bootstrap_webhook_notices_total{outcome=dropped}": 2,
        "bootstrap_reconcile_seconds_count{outcome=success}": 1,
        "bootstrap_reconcile_seconds_sum{outcome=success}": 0.25,
        "bootstrap_reconcile_seconds_count{outcome=store}": 1,
        "bootstrap_reconcile_seconds_sum{outcome=store}": 0.5,
        "bootstrap_reconcile_errors_total{why=store}": 1,
        "bootstrap_api_requests_total{status=4xx,verb=PATCH}": 1,
        "bootstrap_api_requests_total{status=none,verb=GET}": 1,
        "bootstrap_registry_requests_total{outcome=ok,registry=docker.io}": 1,
        "bootstrap_registry_quota_remaining{registry=docker.io}": 76,
        "bootstrap_registry_quota_limit{registry=docker.io}": 100,
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
    metrics.show(table.DEPLOYMENTS, {("Failed",): 1})
    metrics.show(table.DEPLOYMENTS, {("Idle",): 1})
    assert not [name for name in samples(metrics) if "Failed" in name]


def test_a_series_that_went_comes_back_with_its_new_value() -> None:
    """Is a series shown again that was gone for a while, or gone with the time of leading?"""
    metrics = Metrics("1.2.3")
    series = "bootstrap_deployments{phase=Idle}"
    metrics.show(table.DEPLOYMENTS, {("Idle",): 1})
    assert samples(metrics)[series] == 1
    metrics.show(table.DEPLOYMENTS, {("Held",): 1})
    metrics.show(table.DEPLOYMENTS, {("Held",): 1, ("Idle",): 2})
    assert samples(metrics)[series] == 2
    metrics.leads_no_more()
    metrics.show(table.DEPLOYMENTS, {("Idle",): 3})
    assert samples(metrics)[series] == 3


def test_what_is_shown_of_a_target_is_all_of_it() -> None:
    """Is a series gone that is not named again, and are other targets left alone?"""
    metrics = Metrics("1")
    for target in ("fuji", "main"):
        whole = {table.LEFT: {(target,): 60.0}, table.CRASHES: {(target,): 2}}
        metrics.show_target(target, whole)
    metrics.show_target("fuji", {table.CRASHES: {("fuji",): 3}})
    found, left = samples(metrics), "bootstrap_open_run_crashes{target=fuji}"
    assert found[left] == 3
    assert [name for name in found if "fuji" in name] == [left]
    assert sum("main" in name for name in found) == 2


def test_who_leads_no_more_shows_nothing_of_what_was() -> None:
    """Is a controller that stands by silent of runs and tags that it does not follow any more?"""
    metrics = Metrics("1")
    metrics.show_target("fuji", {table.OPEN_RUNS: {("fuji", "Soaking"): 1}})
    metrics.show(table.LAG_STEPS, {(): 4})
    metrics.tag_resolved("r", "latest", 1.0)
    metrics.store_up(True)
    metrics.queue(lambda: 3.0, lambda: 1.5)
    metrics.leads_no_more()
    assert samples(metrics) == samples(Metrics("1"))


def test_every_metric_of_the_table_is_made() -> None:
    """Is each name of the table, and no other, in what Prometheus is told?"""
    text = Metrics("1").render().decode()
    made = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    known = {family.name for family in table.TABLE}
    assert {name for name in made if not name.startswith("bootstrap_process_")} == known


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
    first.store_up(True)
    assert samples(second)["bootstrap_store_up"] == 0
    assert not [family for family in REGISTRY.collect() if family.name.startswith("bootstrap_")]


def test_the_process_is_shown_too() -> None:
    """Can memory and file descriptors be watched, and is the type the one of that format?"""
    assert b"bootstrap_process_resident_memory_bytes" in Metrics("1").render()
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")


def test_targets_that_come_and_go_do_not_fill_the_page() -> None:
    """Runs have ended on more targets than a page can show: are the newest there, and no more?"""
    metrics = Metrics("1")
    for number in range(SERIES_KEPT + 10):
        metrics.run_ended(f"t{number}", "Passed", "Soaked", "")
    shown = [name for name in samples(metrics) if name.startswith("bootstrap_runs_total")]
    assert len(shown) == SERIES_KEPT
    assert any(f"target=t{SERIES_KEPT + 9}}}" in name for name in shown)
