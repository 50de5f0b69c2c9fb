"""What people and their tools do to a Deployment, and what becomes of its run."""

import pytest

from controller.domain import names
from tests.cluster.api import Object
from tests.cluster.builds import FIRST, SECOND, pinned
from tests.cluster.stage import REPOSITORY, Stage

pytestmark = pytest.mark.parametrize("way", ["controller", "monitor"])
ARGO = "argocd-controller"


async def test_a_person_aborts_a_run(stage: Stage) -> None:
    """Does a new value of the abort annotation end the run, and the build stay untested again?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    await stage.bootstraps("fuji")
    await stage.annotate("fuji", abort_requested_at="now")
    await stage.ends("fuji", FIRST, "Aborted")
    await stage.a_while()
    assert stage.outcomes("fuji") == [("Aborted", "AbortRequested")]
    assert stage.run("fuji") is None


async def test_another_configuration_begins_another_attempt(stage: Stage) -> None:
    """Does a change of the node's env end the run and begin another one of the same build?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    first = await stage.pins("fuji", FIRST)
    node = [{"name": "node", "env": [{"name": "AVAGO_LOG_LEVEL", "value": "debug"}]}]
    body: Object = {"spec": {"template": {"spec": {"containers": node}}}}
    kind = "application/strategic-merge-patch+json"
    await stage.api.patch("deployments", "fuji", body, kind=kind)
    await stage.ends("fuji", FIRST, "Aborted")
    second = await stage.until(lambda: stage.run("fuji"))
    assert (second.build, second.id > first.id) == (FIRST.digest(), True)
    assert stage.outcomes("fuji") == [("Aborted", "ConfigurationChanged")]


async def test_another_image_ends_the_run_and_is_tested(stage: Stage) -> None:
    """Does a person who writes another tag end the run, and is that tag followed then?"""
    stage.push(FIRST)
    stage.push(SECOND, tag="v1.14.1")
    await stage.deploy("fuji")
    stage.controller()
    await stage.pins("fuji", FIRST)
    image = f"{REPOSITORY}:v1.14.1"
    await stage.write_pod("fuji", node=image, prepare_data=image)
    outcome = await stage.ends("fuji", FIRST, "Aborted")
    assert outcome.reason == "ImageChanged"
    assert "kubectl" in outcome.message
    await stage.pins("fuji", SECOND)
    assert stage.images("fuji")["node"] == pinned(SECOND, "v1.14.1")


async def test_a_pin_taken_back_is_put_back_twice(stage: Stage) -> None:
    """Is a pin that a tool takes back put back, naming the tool, and given up the third time?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    run = await stage.pins("fuji", FIRST)
    bare = f"{REPOSITORY}:latest"
    for times in (1, 2):
        await stage.write_pod("fuji", manager=ARGO, run_id="", node=bare, prepare_data=bare)
        await stage.until(lambda times=times: _reverts(stage) == times)
        assert stage.images("fuji")["node"] == stage.images("fuji")["prepare-data"] == run.image
        assert ARGO in stage.message("fuji")
    await stage.write_pod("fuji", manager=ARGO, run_id="", node=bare, prepare_data=bare)
    outcome = await stage.ends("fuji", FIRST, "Aborted")
    assert outcome.reason == "PinReverted"
    assert ARGO in outcome.message


async def test_an_image_put_back_under_the_run_id_is_pinned_again(stage: Stage) -> None:
    """Is the pin put back where Argo CD puts the image back and leaves the run id, and can the run
    pass then?
    """
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    run = await stage.pins("fuji", FIRST)
    bare = f"{REPOSITORY}:latest"
    await stage.write_pod("fuji", manager=ARGO, node=bare, prepare_data=bare)
    await stage.until(lambda: _reverts(stage) == 1)
    await stage.until(lambda: "PinReverted" in stage.reasons("fuji"))
    assert ARGO in stage.notes("fuji")
    _, node = await stage.bootstraps("fuji")
    node.finish()
    outcome = await stage.ends("fuji", FIRST, "Passed")
    assert outcome.run == run.id


async def test_a_suspended_deployment_starts_nothing(stage: Stage) -> None:
    """Does a suspended Deployment start nothing until it is resumed?"""
    stage.push(FIRST)
    await stage.deploy("fuji", annotations={names.SUSPEND: "true"})
    stage.controller()
    await stage.until(lambda: stage.phase("fuji") == "Suspended")
    await stage.a_while()
    assert stage.run("fuji") is None
    await stage.annotate("fuji", suspend=None)
    await stage.pins("fuji", FIRST)


async def test_a_person_asks_for_another_attempt(stage: Stage) -> None:
    """Is a build tested again when a person asks for it, and only then, and once?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    await stage.passes("fuji", FIRST)
    await stage.a_while()
    assert len(stage.outcomes("fuji")) == 1
    await stage.annotate("fuji", retest_requested_at="once")
    await stage.until(lambda: stage.run("fuji"))
    await stage.passes("fuji", FIRST)
    await stage.until(lambda: len(stage.outcomes("fuji")) == 2)
    await stage.a_while()
    assert stage.outcomes("fuji") == [("Passed", "Soaked")] * 2
    assert stage.run("fuji") is None


async def test_a_failure_is_held_until_a_person_ends_it(stage: Stage) -> None:
    """Does the next build wait after a failure, and start when a person ends the hold?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    pod, _ = await stage.bootstraps("fuji")
    await stage.crashes(pod, restarts=7)
    await stage.ends("fuji", FIRST, "Failed")
    await stage.until(lambda: stage.phase("fuji") == "Held")
    stage.push(SECOND)
    await stage.a_while()
    assert (stage.phase("fuji"), stage.run("fuji")) == ("Held", None)
    assert "end-hold-requested-at" in stage.message("fuji")
    await stage.annotate("fuji", end_hold_requested_at="now")
    await stage.pins("fuji", SECOND)


def _reverts(stage: Stage) -> int:
    run = stage.run("fuji")
    return run.reverts if run else 0
