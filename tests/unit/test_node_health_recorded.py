"""The health documents of a real avalanchego, of times at which they mislead
(tests/recordings/avalanchego-1.14.2/README.md, points 5 to 8 and 14).
"""

import pytest

from controller.domain.node_http import DoorReply
from controller.node.health_document import Health, read_health
from tests.scenes import scene, scenes

HEALTH, READINESS = "/ext/health", "/ext/health/readiness"


def documents(name: str, path: str = HEALTH) -> list[Health]:
    """Those of the scene that are one, oldest first."""
    found = []
    for answer in scene(name).answers:
        if (answer.method, answer.path) == ("GET", path) and answer.status in (200, 503):
            health = read_health(DoorReply(answer.status or 0, answer.body.encode()))
            assert health is not None
            found.append(health)
    return found


@pytest.mark.parametrize("name", [found.name for found in scenes()])
def test_a_check_that_has_not_run_is_no_failure(name: str) -> None:
    """Is `not yet run` nowhere read as a failure, and no such check as one that is well?"""
    for path in (HEALTH, READINESS):
        for health in documents(name, path):
            assert "not yet run" not in health.failing.values()
            assert not set(health.failing) & set(health.not_run)
            assert not (health.healthy and health.not_run)
            assert not (health.bootstrapped and health.not_run)


def test_a_healthy_document_that_stands_is_told_by_its_times_only() -> None:
    """In two minutes of a hanging chain: what does a document say, and since when?"""
    last = documents("hang-when-ready")[-1]
    ready = documents("hang-when-ready", READINESS)[-1]

    assert (last.healthy, last.failing, last.not_run) == (True, {}, ())
    assert ready.bootstrapped
    assert None not in (last.newest, last.oldest, ready.newest)
    # C was checked last, and late: the others began one more round, which never ends.
    assert last.newest - last.oldest == pytest.approx(4.85, abs=0.01)  # type: ignore[operator]
    # Readiness is asked of the same node at the same moment, and is of another time.
    assert ready.newest - last.newest == pytest.approx(95.0, abs=0.1)  # type: ignore[operator]


def test_a_chain_that_hangs_while_it_bootstraps_holds_up_all_checks() -> None:
    """Is every check of a hanging node old, those of network and disk too?"""
    last = documents("hang")[-1]
    ready = documents("hang", READINESS)[-1]

    assert last.failing == {"bootstrapped": "subnets not bootstrapped"}
    assert ready.newest is not None
    assert last.newest is not None
    assert ready.newest - last.newest > 110


def test_a_locked_chain_has_not_been_checked_though_all_else_is_well() -> None:
    """Is a node whose C is locked from its start ready, without a failure and without health?"""
    (early, before, *_, last) = documents("slow-term")
    ready = documents("slow-term", READINESS)

    assert {"C", "P", "X", "bootstrapped"} == set(early.not_run)
    assert (before.healthy, before.failing, before.not_run) == (False, {}, ("C",))
    assert before.oldest is not None  # of the checks that have run
    assert ready[-1].bootstrapped
    assert not ready[0].bootstrapped
    # On its way down the check that says so has not run either, for a round is under way.
    assert (last.failing, last.not_run) == ({}, ("C", "shuttingDown"))
    assert last.newest == before.newest


def test_a_node_that_ends_says_so_by_one_check() -> None:
    """Is a ready and healthy node that shuts down known by its check alone?"""
    *_, before, last = documents("term-when-ready")

    assert (before.healthy, last.healthy) == (True, False)
    assert (last.failing, last.not_run) == ({}, ("shuttingDown",))
    assert documents("term-when-ready", READINESS)[-1].bootstrapped


def test_a_node_without_peers_goes_on_checking() -> None:
    """Is a node that its network refuses no standing one: do its times go on?"""
    documents_ = documents("moved-on")
    last = documents_[-1]

    assert {"network", "P", "bootstrapped"} == set(last.failing)
    assert not last.runs_c
    times = [found.newest for found in documents_]
    assert times == sorted(set(times))  # type: ignore[type-var]
