"""Verdicts on a node that ends: how often, at which place, and what is known of why."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from msgspec.structs import replace as with_fields

from controller.domain.evidence import Place, PodEvent, Read
from controller.domain.objects import ContainerState, Pod
from controller.domain.pods.run_pods import view_pods
from controller.domain.record.parts import Cause
from controller.engine.probing.last_words import LINES, MORE_LINES, LastWordsReader
from controller.engine.telling.history_body import body_of
from controller.engine.telling.publisher import Publisher
from store.memory import MemoryStore
from tests.machine_engine import Ear
from tests.machine_objects import BUSY, word
from tests.machine_scene import Scene, scene
from tests.node_lines import BAD_BLOCK, PANICKING, PORT_TAKEN, plain
from tests.scenes import scene as recorded


def message(found: Scene) -> str:
    outcome = found.world.record(found.key).outcome()
    assert outcome is not None
    return outcome.message


def test_one_end_at_a_block_is_no_verdict() -> None:
    """Does a run go on after its node could not verify a block once?"""
    found = scene()
    found.ends(1, 1, line=BAD_BLOCK)
    assert found.verdict == ("Bootstrapping", "", "")


@pytest.mark.parametrize(("line", "reason"), [(BAD_BLOCK, "BadBlock"), (PANICKING, "Panic")])
def test_the_same_place_twice_is_a_verdict(line: str, reason: str) -> None:
    """Is the second end at the same place enough, instead of six?"""
    found = scene()
    found.ends(2, 1, line=line)
    assert found.verdict == ("Failed", reason, "client")
    assert "the same at the second start (exit code 1)" in message(found)


def test_the_outcome_names_the_place() -> None:
    """Does a failure's outcome hold chain, height, block and error, and its message a sentence?"""
    found = scene()
    found.ends(2, 1, line=BAD_BLOCK)
    outcome = found.world.record(found.key).outcome()
    assert outcome is not None
    assert outcome.cause == Cause(
        chain="C",
        height=5000,
        block="hrgMSH1VPFSmqrz1TnxTpFLZeYJqKg7tTrxYk6EyPPXAYN7gK",
        error="invalid merkle root, local 9e84…, expected c4e1…",
    )
    assert outcome.message.startswith("C cannot verify block 5000 (hrgMSH1…): invalid merkle root")


def test_two_places_are_not_the_same_twice() -> None:
    """Do ends at two blocks leave the run open, though both did not verify?"""
    found = scene()
    found.ends(1, 1, line=BAD_BLOCK)
    found.ends_with(2, 1, line=BAD_BLOCK.replace("height=5000", "height=5001"))
    assert found.verdict == ("Bootstrapping", "", "")


def test_what_may_pass_by_itself_is_borne_longer() -> None:
    """Is a port in use, which another process may give free, no verdict at the second end, and the
    machine's at the sixth?
    """
    found = scene()
    found.ends(5, 1, line=PORT_TAKEN)
    assert found.verdict == ("Bootstrapping", "", "")
    found.ends_with(6, 1, line=PORT_TAKEN)
    assert found.verdict == ("Failed", "MachineFault", "infrastructure")


def test_a_loop_goes_on_over_a_restart_of_the_machine() -> None:
    """Of a node that ends so soon that nobody sees it run, are the ends after the machine's restart
    counted, and its restart itself is not [scene fill]?
    """
    found = scene()
    found.ends(3, 1)
    said = word(found.run, "resumed", resumes=1)
    for restarts in range(4, 7):
        found.shows(found.made(restarts=restarts, running=False, exit_code=1, said=said))
        found.looks(None, 0.05)
    assert found.verdict == ("Bootstrapping", "", "")
    found.shows(found.made(restarts=7, running=False, exit_code=1, said=said))
    found.looks(None, 0.05)
    assert found.verdict == ("Failed", "CrashLoop", "unclear")


def test_a_place_is_forgotten_with_the_crashes() -> None:
    """After six hours up, is the same end the first one again?"""
    found = scene()
    found.ends(1, 1, line=BAD_BLOCK)
    found.world.now += timedelta(hours=7)
    found.looks(BUSY, 0.05)
    found.ends_with(2, 1, line=BAD_BLOCK)
    assert found.verdict == ("Bootstrapping", "", "")


def test_a_flag_of_the_manifest_is_the_manifests() -> None:
    """Is a refused flag that the manifest names the configuration's, and no build blamed?"""
    found = scene()
    refused = 'invalid argument "yes" for "--http-host" flag: x'
    found.ends(2, 1, line=f"couldn't configure flags: {refused}")
    assert found.verdict == ("Failed", "BadConfig", "configuration")


def test_a_lost_cause_blames_nobody_and_says_what_to_grant() -> None:
    """Where only 2048 bytes were kept, and the bad block is not in them: is the failure unclear,
    and does it say how the cause can be known?
    """
    found = scene()
    found.ends(6, 1, line=recorded("bad-block").kept_by_kubelet.decode(errors="replace"))
    assert found.verdict == ("Failed", "CrashLoop", "unclear")
    assert "its cause is no longer in what was kept of its log" in message(found)
    assert "grant pods/log (component evidence)" in message(found)


@dataclass
class LogWitness:
    """Serves one log, as the API server does: its last lines."""

    log_text: str
    unread: str = ""
    asked: list[int] = field(default_factory=list)
    heard: tuple[PodEvent, ...] = ()  # Events about the pod

    async def log(
        self, pod: Pod, container: str, *, previous: bool = False, lines: int = 500
    ) -> Read:
        assert previous
        self.asked.append(lines)
        if self.unread:
            return Read(unread=self.unread)
        kept = self.log_text.splitlines()
        return Read("\n".join(kept[-lines:]), cut=len(kept) > lines)

    async def events(self, pod: Pod) -> tuple[tuple[PodEvent, ...], str]:
        return self.heard, ""

    async def place(self, pod: Pod) -> Place:
        raise NotImplementedError


async def read(witness: LogWitness, found: Scene, reader: LastWordsReader | None = None) -> str:
    run = found.world.record(found.key).run
    assert run is not None
    pods = view_pods(found.world.pods[found.key], run, "node")
    words = await (reader or LastWordsReader(witness)).read(pods)
    return words.end.sentence if words else ""


async def test_the_log_is_read_though_the_status_has_its_end() -> None:
    """Is the log read also where the kubelet has put its last bytes into the pod's status?"""
    found = scene()
    found.ends(1, 1, line="[11-26|14:59:16.735] INFO shutting down chain router")
    witness = LogWitness(recorded("bad-block").log.decode())
    assert "cannot verify block 5000" in await read(witness, found)
    assert witness.asked == [LINES]


async def test_a_log_is_read_further_back_where_its_end_tells_nothing() -> None:
    """Behind the stacks of a thousand goroutines, is the line before them found?"""
    found = scene()
    found.ends(1, 2)
    stack = "goroutine 7 [running]:\nmain.main()\n\t/build/main/main.go:31 +0x3c\n"
    witness = LogWitness("fatal error: runtime: out of memory\n" + stack * 1000)
    assert "out of memory" in await read(witness, found)
    assert witness.asked == [LINES, MORE_LINES]


async def test_a_log_that_cannot_be_had_now_is_asked_for_again() -> None:
    """Is a log that an API server does not hand over now read at the next look, and given up after
    three, but at once where the right to read it is missing?
    """
    found = scene()
    found.ends(1, 1)
    witness = LogWitness(BAD_BLOCK, unread="the API server is overloaded")
    reader = LastWordsReader(witness)
    assert not await read(witness, found, reader)
    assert reader.waits
    witness.unread = ""
    assert "cannot verify block 5000" in await read(witness, found, reader)
    assert not reader.waits

    reader, witness.unread = LastWordsReader(witness), "the API server is overloaded"
    waited = []
    for _ in range(3):
        await read(witness, found, reader)
        waited.append(reader.waits)
    assert waited == [True, True, False]

    reader, witness.unread = LastWordsReader(witness), "missing right: get pods/log in fuji"
    assert not await read(witness, found, reader)
    assert not reader.waits


async def test_each_end_is_read_once() -> None:
    """Is a log not asked for again at each look?"""
    found = scene()
    found.ends(1, 1)
    witness = LogWitness(BAD_BLOCK)
    reader = LastWordsReader(witness)
    assert await read(witness, found, reader)
    assert not await read(witness, found, reader)
    assert len(witness.asked) == 1


async def test_an_end_that_the_kubelet_asked_for_says_so() -> None:
    """Is a node that its kubelet stopped, for a probe that failed, told as that?"""
    found = scene()
    found.ends(1, 0)
    made = found.world.pods[found.key][0]
    (status,) = made.status.container_statuses or ()
    assert status.last_state.terminated is not None
    ended = with_fields(status.last_state.terminated, finished_at=found.world.now)
    status = with_fields(status, last_state=ContainerState(terminated=ended))
    found.shows(with_fields(made, status=with_fields(made.status, container_statuses=[status])))
    probe = "Container node failed liveness probe, will be restarted"
    event = PodEvent(at=found.world.now, type="Normal", reason="Killing", message=probe)
    witness = LogWitness(recorded("term-in-bootstrap").log.decode(), heard=(event,))
    assert await read(witness, found) == f"the kubelet stopped it: {probe}"
    assert "told to stop" in await read(LogWitness(witness.log_text), found)


def test_a_plain_line_of_going_down_is_no_cause() -> None:
    """Is a line that only speaks of shutting down never quoted as the reason of an end?"""
    found = scene()
    found.ends(6, 1, line=plain("INFO", "shutting down chain router"))
    assert found.verdict == ("Failed", "CrashLoop", "unclear")
    assert "shutting down" not in message(found)


async def test_the_place_is_in_history_and_in_the_runs_hash() -> None:
    """Do history and the run's hash in the store hold chain, height, block and error as fields?"""
    found = scene()
    found.ends(2, 1, line=BAD_BLOCK)
    place = {
        "chain": "C",
        "height": "5000",
        "block": "hrgMSH1VPFSmqrz1TnxTpFLZeYJqKg7tTrxYk6EyPPXAYN7gK",
        "error": "invalid merkle root, local 9e84…, expected c4e1…",
    }
    record = found.world.record(found.key)
    outcome = record.outcome()
    assert outcome is not None
    store = MemoryStore()
    await Publisher(store, Ear()).publish(found.world.deployments[found.key], record, "{}")
    bodies = [body_of(line) for line in await store.history(outcome.target, limit=20)]
    (failed,) = [body for body in bodies if body["phase"] == "Failed"]
    assert failed.items() >= place.items()
    assert (await store.run(outcome.target, outcome.run)).items() >= place.items()
