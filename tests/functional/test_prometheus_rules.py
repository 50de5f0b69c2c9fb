"""The alerting rules, checked and tried by Prometheus' own tool."""

from pathlib import Path

import pytest
import yaml

from tests.promtool import needs_promtool, promtool

ROOT = Path(__file__).parents[2]
RULES = ROOT / "k8s/prometheus/rules.yaml"
TRIALS = ROOT / "tests/prometheus_rules_test.yaml"


@needs_promtool
@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "--lint-fatal", str(RULES)), ("test", "rules", str(TRIALS))],
    ids=["well-formed", "speaks and is silent when it should"],
)
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    """Are the rules ones that Prometheus takes, and does each do what it is for?"""
    code, said = promtool(*arguments)
    assert code == 0, said


def test_each_rule_is_tried_both_ways() -> None:
    """Is there a moment for each rule at which it speaks, and one at which it does not?"""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rules = {rule["alert"] for group in groups for rule in group["rules"]}
    tried = [
        (trial["alertname"], bool(trial["exp_alerts"]))
        for test in yaml.safe_load(TRIALS.read_text())["tests"]
        for trial in test["alert_rule_test"]
    ]
    assert {rule for rule, speaks in tried if speaks} == rules
    assert {rule for rule, speaks in tried if not speaks} == rules
