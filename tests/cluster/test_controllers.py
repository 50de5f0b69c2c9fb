"""What controllers promise beyond one run: one test a build, crashes, standing by, silence."""

from controller.domain import names
from tests.cluster.api import Object
from tests.cluster.builds import FIRST, SECOND
from tests.cluster.stage import Stage


async def test_a_crash_in_mid_run_loses_nothing(stage: Stage) -> None:
    """Does a controller that crashed, its store's memory too, go on with the run it finds?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    controller = stage.controller()
    run = await stage.pins("fuji", FIRST)
    _, node = await stage.bootstraps("fuji")
    await controller.restart()
    node.finish()
    await stage.until(lambda: stage.phase("fuji") == "Soaking")
    await controller.restart()
    outcome = await stage.ends("fuji", FIRST, "Passed")
    assert outcome.run == run.id
    await controller.restart()
    await stage.a_while()
    assert stage.outcomes("fuji") == [("Passed", "Soaked")]


async def test_two_deployments_of_a_target_share_builds(stage: Stage) -> None:
    """Is a build tested by one of two Deployments of a target only, also over a crash?"""
    stage.push(FIRST)
    await stage.deploy("fuji-a")
    await stage.deploy("fuji-b")
    controller = stage.controller()
    tester = await stage.until(lambda: _tester(stage))
    idle = "fuji-b" if tester == "fuji-a" else "fuji-a"
    await stage.until(lambda: f"{stage.namespace}/{tester}" in stage.message(idle))
    await controller.restart()
    await stage.passes(tester, FIRST)
    await controller.restart()
    await stage.a_while()
    assert stage.outcomes(idle) == []
    assert stage.run(idle) is None
    stage.push(SECOND)
    await stage.until(lambda: _tester(stage))
    await stage.a_while()
    open_runs = [stage.run("fuji-a"), stage.run("fuji-b")]
    assert [run.build for run in open_runs if run is not None] == [SECOND.digest()]


def _tester(stage: Stage) -> str:
    return next((name for name in ("fuji-a", "fuji-b") if stage.run(name)), "")


async def test_a_tag_pushed_again_does_nothing(stage: Stage) -> None:
    """Does a tag that moves to a new index of the same build cost no run and no patch?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    await stage.passes("fuji", FIRST)
    await stage.until(lambda: "passed" in stage.message("fuji"))
    await stage.a_while()
    before = stage.generation("fuji")
    old = stage.registry.resolve("avaplatform/avalanchego", "latest")
    assert stage.push(FIRST) != old
    await stage.a_while()
    assert stage.generation("fuji") == before
    assert stage.outcomes("fuji") == [("Passed", "Soaked")]


async def test_one_of_two_controllers_stands_by(stage: Stage) -> None:
    """Does a second controller wait for the Lease, and take over when the first gives it back?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    first = stage.controller("controller-1")
    run = await stage.pins("fuji", FIRST)
    assert stage.holder() == "controller-1"
    stage.controller("controller-2")
    await stage.until(lambda: stage.has_said("controller stands by"))
    assert stage.holder() == "controller-1"
    await first.stop()
    await stage.until(lambda: stage.holder() == "controller-2")
    _, node = await stage.bootstraps("fuji")
    node.finish()
    outcome = await stage.ends("fuji", FIRST, "Passed")
    assert outcome.run == run.id


async def test_transitions_are_kubernetes_events(stage: Stage) -> None:
    """Is there one Kubernetes Event for each transition of a run, named by its id?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    controller = stage.controller()
    run = await stage.pins("fuji", FIRST)
    await controller.restart()  # tells again what it cannot know to have been told
    _, node = await stage.bootstraps("fuji")
    node.finish()
    await stage.ends("fuji", FIRST, "Passed")
    await stage.until(lambda: "Soaked" in stage.reasons("fuji"))
    told = [event for event in stage.events("fuji") if run.id in event["metadata"]["name"]]
    reasons = [event["reason"] for event in sorted(told, key=_sequence)]
    assert reasons == ["NewBuild", "NodeStarted", "Bootstrapped", "Soaked"]
    for event in told:
        assert event["metadata"]["name"].startswith(f"{stage.namespace}.fuji.{run.id}.")
        assert event["regarding"]["uid"] == stage.deployment("fuji")["metadata"]["uid"]


def _sequence(event: Object) -> int:
    return int(event["metadata"]["name"].rpartition(".")[2])


async def test_a_dry_run_writes_nothing(stage: Stage) -> None:
    """Does a dry run say what it would do, and write no patch, no Event and no Lease?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    await stage.until(lambda: (stage.view.get("deployments", "fuji") or {}).get("status"))
    before = stage.deployment("fuji")["metadata"]
    stage.controller(dry_run=True)
    await stage.until(lambda: stage.has_said("container node: "))
    await stage.a_while()
    after = stage.deployment("fuji")["metadata"]
    assert after["generation"] == before["generation"]
    assert after.get("annotations", {}).keys() - before.get("annotations", {}).keys() <= {
        "deployment.kubernetes.io/revision"  # the Deployment controller's
    }
    assert names.PHASE not in after["labels"]
    assert stage.events("fuji") == []
    assert stage.view.all("leases") == []


async def test_a_deployment_made_again_takes_its_run_up(stage: Stage) -> None:
    """Does a Deployment that was deleted and applied again in mid-run go on with the same run?"""
    stage.push(FIRST)
    await stage.deploy("fuji")
    stage.controller()
    run = await stage.pins("fuji", FIRST)
    old, _ = await stage.bootstraps("fuji")
    uid = stage.deployment("fuji")["metadata"]["uid"]
    await stage.api.delete("deployments", "fuji")
    await stage.until(lambda: not stage.pods("fuji"))
    await stage.deploy("fuji")
    again = await stage.until(lambda: stage.run("fuji"))
    assert (again.id, again.image) == (run.id, run.image)
    assert stage.deployment("fuji")["metadata"]["uid"] != uid
    new = await stage.pod("fuji", after=old)
    node = await stage.starts(new, data="resumed")
    node.finish()
    outcome = await stage.ends("fuji", FIRST, "Passed")
    assert outcome.run == run.id
