"""Rules, dashboards and monitors speak of metrics and labels that there are, in forms that their
readers take.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from datadog_api_client.configuration import Configuration
from datadog_api_client.model_utils import (
    ModelComposed,
    ModelNormal,
    UnparsedObject,
    validate_and_convert_types,
)
from datadog_api_client.v1.model.dashboard import Dashboard
from datadog_api_client.v1.model.monitor import Monitor

from controller.base.metric_table import TABLE, Family, Kind

ROOT = Path(__file__).parents[2]
MONITORS = sorted((ROOT / "k8s/datadog/monitors").glob("*.json"))
DATADOG = [ROOT / "k8s/datadog/dashboard.json", *MONITORS]
PROMETHEUS = [ROOT / "k8s/prometheus/rules.yaml", ROOT / "k8s/grafana/dashboard.json"]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OF_PROCESS = Family(
    "bootstrap_process_resident_memory_bytes", Kind.GAUGE, "of prometheus_client's own"
)

SCRAPED = {family.name: family for family in (*TABLE, OF_PROCESS)}
OF_DATADOG = {family.datadog: family for family in (*TABLE, OF_PROCESS)}
_HISTOGRAM = re.compile(r"_(bucket|count|sum)$")
_OURS = {"instance", "job", "namespace", "le"}  # that Prometheus and its histograms add


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)


def prometheus_names(text: str) -> set[str]:
    """Metrics that a text names; of a histogram its family."""
    found = set(re.findall(r"\bbootstrap_[a-z0-9_]+", text))
    return {name if name in SCRAPED else _HISTOGRAM.sub("", name) for name in found}


def expressions(path: Path) -> Iterator[str]:
    """Of rules, and of Grafana's panels."""
    if path.suffix == ".yaml":
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from (rule["expr"] for rule in group["rules"])
    else:
        for panel in json.loads(path.read_text())["panels"]:
            yield from (target["expr"] for target in panel.get("targets", ()))


def datadog_queries(path: Path) -> list[str]:
    found = strings(json.loads(path.read_text()))
    return [text for text in found if re.match(r"[a-z(_0-9]*\)?:?\w+:bootstrap\.", text)]


@pytest.mark.parametrize("path", PROMETHEUS, ids=lambda path: path.name)
def test_rules_and_grafana_name_metrics_that_there_are(path: Path) -> None:
    """Does no rule and no panel stay empty for ever because a metric is called otherwise?"""
    found = list(expressions(path))
    assert len(found) > 10
    assert prometheus_names(" ".join(found)) <= SCRAPED.keys()


@pytest.mark.parametrize("path", PROMETHEUS, ids=lambda path: path.name)
def test_rules_and_grafana_group_by_labels_that_there_are(path: Path) -> None:
    """Is each label of an expression one of its metrics'?"""
    for text in expressions(path):
        known = {label for name in prometheus_names(text) for label in SCRAPED[name].labels}
        used = re.findall(r"by \(([^)]*)\)", text)
        by = {label.strip() for labels in used for label in labels.split(",")}
        by |= set(re.findall(r"[{,](\w+)!?=", text))
        assert by <= known | _OURS, text


@pytest.mark.parametrize("path", DATADOG, ids=lambda path: path.name)
def test_datadog_is_asked_for_metrics_and_tags_that_there_are(path: Path) -> None:
    """The same of Datadog's names, as its agent makes them."""
    queries = datadog_queries(path)
    assert queries
    for text in queries:
        names = set(re.findall(r"bootstrap\.[a-z0-9_.]+", text))
        families = [OF_DATADOG[name.removesuffix(".as_count")] for name in names]
        known = {label for family in families for label in family.labels}
        by = {label for labels in re.findall(r"by {([^}]*)}", text) for label in labels.split(",")}
        assert by <= known, text


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_name_metrics_that_there_are(path: Path) -> None:
    """Is no page about a metric of the past?"""
    found = prometheus_names(path.read_text())
    assert {name for name in found if not _is_no_metric(name)} <= SCRAPED.keys()


def _is_no_metric(name: str) -> bool:
    """The entry points' group of stores, what prometheus_client adds, a file of avalanchego's."""
    return name.startswith(("bootstrap_controller", "bootstrap_process_", "bootstrap_test_config"))


def strange(value: object, where: str = "") -> Iterator[str]:
    """What Datadog's models do not know: fields that none has, and words of other lists."""
    if isinstance(value, ModelComposed):
        value = value.get_oneof_instance()  # of the kinds that may stand here, the one that fits
    if isinstance(value, UnparsedObject):
        yield f"{where} is not understood"
    elif isinstance(value, ModelNormal):
        for name, field in value._data_store.items():
            if name not in value.attribute_map:
                yield f"{where}.{name} is no field of {type(value).__name__}"
            yield from strange(field, f"{where}.{name}")
        if value._unparsed:
            yield f"{where} is not understood as a whole"
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from strange(each, f"{where}[{place}]")


@pytest.mark.parametrize("path", DATADOG, ids=lambda path: path.name)
def test_datadogs_own_models_take_it(path: Path) -> None:
    """Is each file what Datadog's API takes, without a field or word that it does not know?"""
    kind = Dashboard if path.name == "dashboard.json" else Monitor
    told = json.loads(path.read_text())
    found = validate_and_convert_types(told, (kind,), [path.name], True, True, Configuration())
    assert list(strange(found, path.name)) == []


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('"toplist"', '"topliste"'),
        ('"display_type": "bars"', '"display_type": "bar"'),
        ('"show_legend"', '"shows_legend"'),
        ('"aggregator": "last"', '"aggregator": "latest"'),
        ('"comparator": ">"', '"comparator": "gt"'),
    ],
)
def test_a_slip_in_a_dashboard_would_be_seen(was: str, now: str) -> None:
    """Is the check one that can fail?"""
    text = DATADOG[0].read_text()
    assert was in text
    told = json.loads(text.replace(was, now, 1))
    found = validate_and_convert_types(told, (Dashboard,), ["d"], True, True, Configuration())
    assert list(strange(found, "d"))


@pytest.mark.parametrize("path", MONITORS, ids=lambda path: path.stem)
def test_a_monitors_threshold_is_the_one_of_its_query(path: Path) -> None:
    """Do query and thresholds say the same? Datadog refuses a monitor in which they differ."""
    told = json.loads(path.read_text())
    assert float(told["query"].split()[-1]) == told["options"]["thresholds"]["critical"]


def test_what_is_level_is_watched() -> None:
    """Is there a monitor for each level that people are promised?"""
    assert {path.stem for path in MONITORS} >= {
        "failed-client",
        "failed-otherwise",
        "stalled",
        "nothing-finished",
        "poller-blind",
        "quota",
        "controller-silent",
    }
