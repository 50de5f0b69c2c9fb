"""Ends that others asked for: which of them count against a build."""

from datetime import timedelta

import pytest
from msgspec.structs import replace as with_fields

from controller.domain.evidence import PodEvent
from controller.domain.health.look import LastWords
from controller.domain.node_log.causes import EndKind
from controller.domain.objects import Pod, PodCondition, ResizePolicy, StateTerminated
from controller.domain.pods.process_end import LogEnd, ProcessEnd, process_end_of
from controller.domain.pods.stopped import ordered
from tests.fakes import EPOCH
from tests.machine_objects import BUSY
from tests.machine_scene import Scene, scene
from tests.node_lines import UNKNOWN_FATAL
from tests.scenes import scene as recorded

_PROBE = {"httpGet": {"path": "/ext/health", "port": 9650}}
_RESTARTS = [ResizePolicy(resource_name="memory", restart_policy="RestartContainer")]
_STAYS = [ResizePolicy(resource_name="memory", restart_policy="NotRequired")]
LIMIT = 6  # ends that are a loop
ENDED = StateTerminated(exit_code=0, finished_at=EPOCH)


def with_node(made: Pod, **fields: object) -> Pod:
    (node,) = made.spec.containers or ()
    containers = [with_fields(node, **fields)]
    return with_fields(made, spec=with_fields(made.spec, containers=containers))


def with_condition(made: Pod, type_: str, status: str = "True") -> Pod:
    conditions = [PodCondition(type=type_, status=status)]
    return with_fields(made, status=with_fields(made.status, conditions=conditions))


def plain(made: Pod) -> Pod:
    return made


def ends_with_zero(s: Scene, times: int, change: object = plain, log: str = "") -> None:
    """log: of each process, as it was read; empty where it was not."""
    for number in range(1, times + 1):
        if s.world.record(s.key).run is None:
            return
        made = s.made(restarts=number, exit_code=0, last_reason="Completed")
        assert callable(change)
        s.shows(change(made))
        if log:
            end = process_end_of(ENDED, LogEnd(log, cut=False))
            s.world.words[s.key] = LastWords(made.metadata.uid, number, end)
        s.looks(BUSY, 0.05)


@pytest.mark.parametrize(
    "change",
    [
        lambda made: with_node(made, liveness_probe=_PROBE),
        lambda made: with_node(made, startup_probe=_PROBE),
        lambda made: with_node(made, resize_policy=_RESTARTS),
        lambda made: with_condition(made, "DisruptionTarget"),
        lambda made: with_condition(made, "PodResizeInProgress"),
    ],
    ids=["liveness", "startup", "resize policy", "disruption", "resize"],
)
def test_an_exit_with_0_that_others_may_have_asked_for_blames_no_build(change: object) -> None:
    """Is nobody blamed for it at any number of such ends?"""
    found = scene()
    ends_with_zero(found, LIMIT - 1, change)
    assert found.verdict == ("Bootstrapping", "", "")
    made = found.made(restarts=LIMIT, exit_code=0, last_reason="Completed")
    assert callable(change)
    found.shows(change(made))
    found.looks(BUSY, 0.05)
    assert found.verdict == ("Failed", "CrashLoop", "unclear")


@pytest.mark.parametrize(
    "change",
    [
        plain,
        lambda made: with_node(made, resize_policy=_STAYS),
        lambda made: with_condition(made, "DisruptionTarget", "False"),
    ],
    ids=["bare", "resized without a restart", "disruption is over"],
)
def test_an_exit_with_0_that_nothing_explains_is_the_builds(change: object) -> None:
    """Is a node that ends with 0 twice, though nothing can have told it to, at fault?"""
    found = scene()
    ends_with_zero(found, 2, change)
    assert found.verdict == ("Failed", "ExitedZero", "client")


@pytest.mark.parametrize("name", ["term-in-bootstrap", "term-when-ready"])
def test_a_node_whose_log_says_that_it_was_told_to_stop_is_not_at_fault(name: str) -> None:
    """Is a real node's way down after SIGTERM, with exit code 0, told from an end of its own?"""
    found, log = scene(), recorded(name).log.decode()
    ends_with_zero(found, LIMIT - 1, log=log)
    assert found.verdict == ("Bootstrapping", "", "")
    steps = [s for s in found.world.record(found.key).steps if s.reason == "NodeRestarted"]
    assert "it was told to stop, and went down in order" in steps[-1].message
    ends = found.made(restarts=LIMIT, exit_code=0)
    end = process_end_of(ENDED, LogEnd(log, cut=False))
    found.world.words[found.key] = LastWords(ends.metadata.uid, LIMIT, end)
    found.shows(ends)
    found.looks(BUSY, 0.05)
    assert found.verdict == ("Failed", "CrashLoop", "unclear")


def test_a_panic_that_was_caught_counts_whatever_else_there_is() -> None:
    """Is its own log's word against it not outdone by a probe?"""
    found = scene()
    log = "caught panic runtime error: invalid memory address or nil pointer dereference\n"
    ends_with_zero(found, 1, lambda made: with_node(made, liveness_probe=_PROBE), log=log)
    assert found.verdict == ("Failed", "Panic", "client")


def test_a_fatal_line_before_an_exit_with_0_is_no_proof_beside_a_probe() -> None:
    """Is a fatal line that names no side not enough where a probe may have had it stopped?"""
    found, log = scene(), f"{UNKNOWN_FATAL}\n"
    ends_with_zero(found, 5, lambda made: with_node(made, liveness_probe=_PROBE), log=log)
    assert found.verdict == ("Bootstrapping", "", "")


def test_words_that_come_late_take_an_end_back() -> None:
    """Is an end that was counted before its log was read not held against the build after it?"""
    found = scene()
    ends_with_zero(found, 1)
    run = found.world.record(found.key).run
    assert run is not None
    assert run.seen.zeros == 1
    end = ProcessEnd(EndKind.STOPPED, 0, "it was told to stop")
    found.world.words[found.key] = LastWords(run.seen.pod, 1, end)
    found.looks(BUSY, 0.05)
    run = found.world.record(found.key).run
    assert run is not None
    assert (run.seen.zeros, run.seen.kind) == (0, "stopped")


def killing(message: str, *, seconds: float = 0.0) -> PodEvent:
    at = EPOCH - timedelta(seconds=seconds)
    return PodEvent(at=at, type="Normal", reason="Killing", message=message, source="kubelet")


@pytest.mark.parametrize(
    "message",
    [
        "Container node failed liveness probe, will be restarted",
        "Container node failed startup probe, will be restarted",
        "Container node resize requires restart",
        "Container node definition changed, will be restarted",
    ],
)
def test_a_kubelet_that_says_so_stopped_it(message: str) -> None:
    """Is the kubelet's own reason for stopping the node told?"""
    assert ordered([killing(message, seconds=30)], "node", ENDED) == (
        f"the kubelet stopped it: {message}"
    )


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (killing("Container mesh failed liveness probe, will be restarted"), ENDED),
        (killing("Stopping container node"), ENDED),  # with its pod
        (killing("Container node failed liveness probe", seconds=86400), ENDED),
        (killing("Container node failed liveness probe", seconds=-600), ENDED),
        (killing("Container node failed liveness probe"), StateTerminated(exit_code=0)),
    ],
    ids=["another's", "its pod's", "of long ago", "of another end", "of no time"],
)
def test_what_speaks_of_another_end_is_no_order(event: PodEvent, end: StateTerminated) -> None:
    """Is an Event that need not be about this very end of the node left alone?"""
    assert ordered([event], "node", end) == ""
