"""A Deployment that two could look after: one does, the other stands aside, and they take turns."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from loguru import logger

from tests.simulation.played import Character
from tests.simulation.two_engines import OPTIONS, TwoEngines

ONE, TWO = "bootstrap/one", "bootstrap/two"


@pytest.fixture
def said() -> Iterator[list[str]]:
    """Every line of the log from INFO on, which is off in this folder."""
    lines: list[str] = []
    logger.enable("controller")
    sink = logger.add(
        lambda m: lines.append(f"{m.record['message']} {m.record['extra']}"), level=20
    )
    yield lines
    logger.remove(sink)
    logger.disable("controller")


async def test_what_another_looks_after_is_left_alone(said: list[str]) -> None:
    """Is nothing asked, written, stored or told of it, however long it stays another's?"""
    async with TwoEngines("one") as world:
        world.holders[ONE] = "monitor"
        world.push("a")
        world.controller.start()
        await world.pass_time(1)
        before = world.controller.asked()
        await world.pass_time(72)
        assert world.controller.asked() == before
        assert (world.controller.asked()[0], world.cluster.writes) == (0, 0)
        assert not world.controller.ear.notices
    left = [line for line in said if line.startswith("deployment is left alone")]
    assert len(left) == 1
    assert ONE in left[0]
    assert "monitor holds its Lease" in left[0]


async def test_while_it_is_not_known_whose_it_is_nothing_is_done_nor_said(said: list[str]) -> None:
    """Is a Lease that was not read yet no news, and no leave either?"""
    async with TwoEngines("one") as world:
        world.holders[ONE] = ""
        world.push("a")
        world.controller.start()
        await world.pass_time(2)
        assert world.cluster.writes == 0
    assert not [line for line in said if "left alone" in line]


async def test_an_open_run_is_let_go_in_the_middle() -> None:
    """Is the node of a run asked no more from the moment on at which another looks after it?"""
    async with TwoEngines("one") as world:
        world.push("a")
        world.controller.start()
        await world.pass_time(3)
        assert world.controller.probe.asked > 0
        world.give(ONE, "monitor")
        await world.pass_time(1)
        before, writes = world.controller.asked(), world.cluster.writes
        await world.pass_time(24)
        assert world.controller.asked() == before
        assert world.cluster.writes == writes
        assert world.record(ONE).run is not None


async def test_a_run_that_changes_hands_goes_on_to_its_verdict() -> None:
    """Is one run, begun here, gone on with there and ended here again, one run, told once?"""
    async with TwoEngines("one") as world:
        world.push("a")
        world.controller.start()
        world.monitor.start()
        await world.pass_time(2)
        world.give(ONE, "controller")
        begun = world.record(ONE).run
        world.give(ONE, "monitor")
        await world.pass_time(2)
        world.give(ONE, "controller")
        await world.pass_time(12)
        record = world.record(ONE)
        assert begun is not None
        assert [(o.run, str(o.phase)) for o in record.outcomes] == [(begun.id, "Passed")]
        assert len(world.cluster.starts) == 1


@pytest.mark.parametrize("shared", [False, True])
async def test_both_take_turns_and_no_build_is_tested_twice(shared: bool) -> None:
    """Are builds that one has tested not tested again by the other, with a store of both or not?"""
    async with TwoEngines("one", shared=shared) as world:
        world.holders[ONE] = "monitor"
        world.push("a")
        world.controller.start()
        world.monitor.start()
        await world.pass_time(12)
        assert "Passed" in world.monitor.phases()
        world.give(ONE, "controller")
        await world.pass_time(12)
        assert len(world.cluster.starts) == 1
        world.push("b")
        await world.pass_time(12)
        world.give(ONE, "monitor")
        await world.pass_time(12)
        assert [str(o.phase) for o in world.record(ONE).outcomes] == ["Passed", "Passed"]
        assert len(world.cluster.starts) == 2
        told = Counter(n.id for n in (*world.controller.ear.notices, *world.monitor.ear.notices))
        # Without a store of both the last step may be told twice, by the same id; never lost.
        assert max(told.values()) <= (1 if shared else 2)


async def test_what_has_come_of_it_meanwhile_is_read_anew() -> None:
    """Does whoever takes a Deployment up ask the API server, and not a watch that may lag?"""
    async with TwoEngines("one") as world:
        world.holders[ONE] = "monitor"
        world.push("a")
        world.controller.start()
        world.monitor.start()
        await world.pass_time(1)
        read: list[str] = []
        reading = world.cluster.read

        async def heard(key: str) -> object:
            read.append(key)
            return await reading(key)

        world.cluster.read = heard  # type: ignore[method-assign,assignment]
        await world.pass_time(1)
        assert read == []
        world.give(ONE, "controller")
        await world.pass_time(1)
        assert read == [ONE]


async def test_its_record_is_a_siblings_all_the_same() -> None:
    """Is a build that runs under a monitor not tested beside it by the controller's own target?"""
    async with TwoEngines("one", "two") as world:
        world.holders |= {ONE: "controller", TWO: "monitor"}
        world.push("a")
        world.monitor.start()
        await world.pass_time(1)
        assert world.record(TWO).run is not None
        world.controller.start()
        await world.pass_time(12)
        assert {key for key, _, _ in world.cluster.starts} == {TWO}


async def test_what_stays_is_not_given_up_and_what_is_gone_is() -> None:
    """Does a run of a monitor stay its own while its Deployment is there, and end with it?"""
    async with TwoEngines("one", shared=True) as world:
        world.holders[ONE] = "monitor"
        world.push("a")
        world.cluster.behaviour["sha256:" + "a" * 64] = Character(hours=1000)
        world.controller.start()
        world.monitor.start()
        await world.pass_time(2)
        await world.monitor.stop()  # with its pod, before it could say so
        await world.pass_time(24)
        assert not world.controller.ear.notices
        world.cluster.delete(ONE)
        await world.pass_time(1)
        assert [n.reason for n in world.controller.ear.notices] == ["DeploymentGone"]
        assert set(world.controller.custody.forgotten) == {ONE}


async def test_a_run_of_another_does_not_count_among_ours() -> None:
    """Is `--max-open-runs` about the runs that this controller looks after?"""
    options = replace(OPTIONS, max_open_runs=1)
    async with TwoEngines("one", "two", options=options) as world:
        world.holders |= {ONE: "controller", TWO: "monitor"}
        world.push("a")
        world.cluster.behaviour["sha256:" + "a" * 64] = Character(hours=1000)
        world.controller.start()
        await world.pass_time(1)
        world.give(ONE, "monitor")  # with its open run
        world.give(TWO, "controller")
        world.push("b")
        await world.pass_time(2)
        assert world.record(TWO).run is not None
