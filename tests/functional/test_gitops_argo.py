"""An Argo CD sync over an open run, with what k8s/argocd makes it ignore, and without.

Excluded: Argo CD itself; `sync` plays what it writes.
"""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.storage import copied
from tests.gitops import NAME, TARGET, VOLUME, applied_and_open, apply, goes_on, kubectl, standing
from tests.kustomize import build, one
from tests.target_world import BARE, ENDLESS, REPOSITORY, TAG, TargetWorld, images, target_world

pytestmark = pytest.mark.jumping


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[TargetWorld]:
    async with target_world(tmp_path) as found:
        found.world.push(REPOSITORY, TAG, ENDLESS)
        yield found


_STEP = re.compile(
    r"""\.(?P<field>\w+) | \["(?P<key>[^"]+)"\] | (?P<each>\[\])
    | \s*\|\s*select\(\.(?P<by>\w+)\s*==\s*"(?P<value>[^"]+)"\) | \s*\|\s*(?=\.)""",
    re.VERBOSE,
)


def places(obj: Object, expression: str) -> list[tuple[Any, str]]:
    """(map, key) of every value that a jq path leads to, for the jq that k8s/argocd uses; maps on
    the way are made where they are missing.
    """
    steps, at = [], 0
    while at < len(expression):
        match = _STEP.match(expression, at)
        assert match, f"this test does not read {expression[at:]!r}"
        steps.append(match.groupdict())
        at = match.end()
    found: list[Any] = [obj]
    steps = [step for step in steps if any(step.values())]
    for step in steps[:-1]:
        if step["each"]:
            found = [item for items in found for item in items]
        elif step["by"]:
            found = [item for item in found if item[step["by"]] == step["value"]]
        else:
            found = [item.setdefault(step["field"] or step["key"], {}) for item in found]
    return [(item, steps[-1]["field"] or steps[-1]["key"]) for item in found]


async def sync(stage: TargetWorld, desired: Object, ignored: list[str]) -> None:
    """As Argo CD syncs with RespectIgnoreDifferences: live values in the place of Git's at the
    paths that are ignored, then a patch of what differs by its own field manager.
    """
    live, desired = copied(stage.deployment(NAME)), copied(desired)
    for expression in ignored:
        kept, written = places(copied(live), expression), places(desired, expression)
        assert len(kept) == len(written)
        for (source, key), (goal, _) in zip(kept, written, strict=True):
            if key in source:
                goal[key] = source[key]
            else:
                goal.pop(key, None)
    await kubectl(
        stage,
        "patch",
        "deployment",
        NAME,
        "--type=merge",
        "--field-manager=argocd-controller",
        f"--patch={json.dumps(differing(live, desired))}",
    )


def differing(live: Object, desired: Object) -> Object:
    """The merge patch that makes live what is desired: what is the same stands in no patch, so an
    annotation that changes meanwhile is not written back.
    """
    found: Object = {}
    for key, value in desired.items():
        before = live.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if within := differing(before, value):
                found[key] = within
        elif value != before:
            found[key] = value
    return found


def what_argo_ignores() -> list[str]:
    application = one(build("argocd"), "Application", "bootstrap-targets")
    (entry,) = application["spec"]["ignoreDifferences"]
    expressions: list[str] = entry["jqPathExpressions"]
    return expressions


def changed_in_git() -> Object:
    """The target with something changed that is nobody's but Git's."""
    deployment = copied(one(build(f"targets/overlays/{TARGET}"), "Deployment"))
    deployment["spec"]["revisionHistoryLimit"] = 3
    deployment["metadata"]["annotations"]["example.com/owner"] = "the node team"
    return deployment


async def test_an_argo_sync_changes_nothing_of_ours(stage: TargetWorld) -> None:
    """Does a sync that respects what k8s/argocd ignores apply what changed in Git, and leave pin,
    run, record and pod alone?
    """
    await kubectl(stage, "apply", "-k", VOLUME)
    await apply(stage)
    stage.world.annotate(NAME, soak="300ms")
    async with stage.controller():
        run = await stage.bootstrapping(NAME)
        before = standing(stage)
        for _ in range(2):
            await sync(stage, changed_in_git(), what_argo_ignores())
            after = standing(stage)
            # The record may have moved on meanwhile, by our own hand.
            assert after | {"record": ""} == before | {"record": ""}
        assert stage.deployment(NAME)["spec"]["revisionHistoryLimit"] == 3
        outcome = await stage.finish(NAME)
    assert (outcome.run, outcome.phase, outcome.resumes) == (run.id, "Passed", 0)
    assert "'argocd-controller'" not in " ".join(stage.said)


async def test_an_argo_sync_that_ignores_nothing_takes_the_pin(stage: TargetWorld) -> None:
    """Is it really what is ignored that keeps the pin, so that without it the sync takes it?"""
    run = await applied_and_open(stage)
    await sync(stage, changed_in_git(), [])
    assert images(stage.deployment(NAME)) == {BARE}
    assert stage.run_id(NAME) == run.id
    await goes_on(stage, run, reverts=1, resumes=1)
