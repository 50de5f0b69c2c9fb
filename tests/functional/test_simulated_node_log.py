"""The simulated node's log beside the recorded ones: its lines, its start and its ends."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from controller.domain.target import SyncMode
from controller.simulator.node import Plan, Progress, StartFailure
from tests.recorded_log import Line, behind, lines, parsed, unasked, vocabulary
from tests.recorded_node import answers, recorded_lab
from tests.scenes import KEPT_BY_KUBELET, scene

pytestmark = pytest.mark.jumping

# Messages that the simulated node has and no recording, or the other way round, to the reason.
DIFFERENCES = {
    "fetching blocks": "told of chains that take minutes; the recorded ones take seconds",
    "P2P IP is private, you will not be publicly discoverable": "the recorded node was told an"
    " address of the loopback, a target's is told none",
    "fd-limit is less than recommended and could result in reduced performance": "the recorded"
    " machine's limit was low",
}
FULL = Plan(bootstrap_seconds=16)
MOVED_ON = Plan(moved_on="avalanchego/1.16.0")
LOCKED = Plan(bootstrap_seconds=40, locked_at=5000)
STUCK = Plan(bootstrap_seconds=8, sync_stuck=True)


async def told(
    plan: Plan,
    seconds: float,
    mode: SyncMode = SyncMode.FULL,
    *,
    log_json: bool = True,
    stops: bool = False,
) -> str:
    """The log of a node that lives so long, or is stopped then and goes on to its end."""
    async with recorded_lab(plan, mode, log_json=log_json) as lab:
        await lab.clock.advance(seconds)
        if stops:
            lab.node.terminate()
            await lab.clock.advance(61)
        return lab.node.log.text()


LIVES = [
    pytest.param(FULL, SyncMode.FULL, id="full"),
    pytest.param(FULL, SyncMode.STATE, id="state sync"),
    pytest.param(Plan(bootstrap_seconds=16, summary="Skipped"), SyncMode.STATE, id="skipped"),
    pytest.param(FULL, SyncMode.P_CHAIN, id="only P"),
    pytest.param(MOVED_ON, SyncMode.FULL, id="moved on"),
    pytest.param(LOCKED, SyncMode.FULL, id="hangs"),
    pytest.param(STUCK, SyncMode.STATE, id="stuck"),
    pytest.param(Plan(crash_after=20), SyncMode.FULL, id="bad block"),
    pytest.param(Plan(disk_full_after=30), SyncMode.FULL, id="full disk"),
    pytest.param(Plan(panic_after=20), SyncMode.FULL, id="panic"),
]


@pytest.mark.parametrize(("plan", "mode"), LIVES)
async def test_every_line_is_a_recorded_one(plan: Plan, mode: SyncMode) -> None:
    """Has each line, but for values, been written by a real node: level, logger, file, message and
    names?
    """
    known = vocabulary()
    found = set(lines(await told(plan, 40, mode, stops=True))) - known
    # P and X of the recorded network are short: what C says of its blocks they would say too.
    strange = {line for line in found if replace(line, chain="C") not in known}
    assert {line for line in strange if line.message not in DIFFERENCES} == set()


async def test_both_forms_say_the_same() -> None:
    """Is a plain log the JSON log in other words, and all of it plain?"""
    plain = await told(FULL, 30, log_json=False, stops=True)
    whole = lines(plain)
    assert len(whole) == len(plain.splitlines())
    assert {line.form for line in whole} == {"plain"}
    as_json = lines(await told(FULL, 30, stops=True))
    assert [line.said for line in whole] == [line.said for line in as_json]
    pattern = re.compile(
        r"\[11-26\|\d\d:\d\d:\d\d\.\d{3}\] (INFO|WARN) (<[PXC] Chain> )?\S+:\d+ .+"
    )
    both = plain.splitlines() + scene("full-plain").log.decode().splitlines()
    strange = [line for line in both if not pattern.fullmatch(line) and not _left_out(line)]
    assert not strange


def _left_out(line: str) -> bool:
    """A recorded one that stands for others, or an empty line of a table of C's."""
    return line.startswith("…") or line.endswith(("blockchain.go:409 ", "blockchain.go:412 "))


def _start(all_lines: list[Line]) -> Iterator[tuple[str, str, str]]:
    """What the node itself says up to the moment it serves; its checks begin to pass meanwhile."""
    for line in all_lines:
        if line.message not in DIFFERENCES and not line.message.startswith("check started"):
            yield line.said
        if line.message == "API server listening":
            return


async def test_the_start() -> None:
    """Does it begin with what a recorded node says, and nothing else?"""
    now = sorted(_start(lines(await told(FULL, 1))))
    assert now == sorted(_start(lines(scene("full").log)))


async def test_warnings_come_from_being_asked() -> None:
    """Is there one line for each answer that is not healthy, and none without a question?"""
    asked = next(a for a in answers("full", 1, 2) if a.path == "/ext/health")
    async with recorded_lab(FULL) as lab:
        await lab.clock.advance(30)
        assert "failing check" not in lab.node.log.text()
        lab.node.fail("diskspace", "full")
        for _ in range(3):
            assert (await lab.ask(asked)).status == 503
        warned = [line for line in lines(lab.node.log.text()) if line.message == "failing check"]
    assert warned == [line for line in vocabulary() if line in warned] * 3


SHUTDOWNS = [
    pytest.param("term-when-ready", FULL, 30, SyncMode.FULL),
    pytest.param("term-in-bootstrap", FULL, 10, SyncMode.FULL),
    pytest.param("moved-on", MOVED_ON, 30, SyncMode.FULL),
    pytest.param("hang", LOCKED, 60, SyncMode.FULL),
    pytest.param("state-sync-stuck", STUCK, 60, SyncMode.STATE),
    pytest.param("partial", FULL, 30, SyncMode.P_CHAIN),
]
# Of the C-chain's VM, said where there is something to say.
_SOMETIMES = ("committed atomic trie", "Persisted trie from memory database")


@pytest.mark.parametrize(("name", "plan", "seconds", "mode"), SHUTDOWNS)
async def test_the_way_down(name: str, plan: Plan, seconds: float, mode: SyncMode) -> None:
    """Is what is said from SIGTERM to the end that which the recorded node says?"""
    begin = "shutting down node"
    now = behind(begin, unasked(lines(await told(plan, seconds, mode, stops=True))))
    was = behind(begin, unasked(lines(scene(name).log)))
    assert _spoken(now) == _spoken(was)
    assert now[-1].said == was[-1].said


def _spoken(found: list[Line]) -> list[tuple[str, str, str]]:
    """In any order, as chains come down side by side; the syncer that is cut off is left out."""
    rest = (*_SOMETIMES, "syncer cancelled", "state sync completed, notifying engine")
    # In only one scene of these a chain came down without a word.
    kept = [line.said for line in found if line.message not in (*rest, "chain shutdown")]
    return sorted(kept)


async def test_the_end_of_a_bad_block() -> None:
    """Is the fatal line followed by the recorded lines, so many that a kubelet loses it?"""
    text = await told(Plan(bootstrap_seconds=40, crash_after=30), 40)
    begin = "shutting down chain"
    now, was = behind(begin, lines(text)), behind(begin, lines(scene("bad-block").log))
    assert sorted(line.said for line in now) == sorted(line.said for line in was)
    assert (now[0], len(now)) == (was[0], 30)
    rest = text[text.index('"msg":"shutting down chain"') :].split("\n", 1)[1]
    assert 2_900 < len(rest) < 3_700
    assert "fatal" not in text[-KEPT_BY_KUBELET:]


async def test_the_end_of_a_full_disk() -> None:
    """Is the fatal line followed by the whole way down?"""
    text = await told(Plan(bootstrap_seconds=4, disk_full_after=30), 40)
    begin = "low on disk space. Shutting down..."
    now, was = behind(begin, lines(text)), behind(begin, lines(scene("disk-low").log))
    assert now[0] == was[0]
    assert _spoken(now) == _spoken(was)


async def test_the_end_of_a_panic() -> None:
    """Is there one long fatal line, and then Go's own text, of which a kubelet keeps but frames?"""
    text = await told(Plan(bootstrap_seconds=40, panic_after=30), 40)
    _, _, behind_it = text.partition('{"level":"fatal"')
    line, _, trace = behind_it.partition("\n")
    assert parsed('{"level":"fatal"' + line) in set(lines(scene("panic").log))
    assert 3_000 < len(line) < 4_500
    recorded = scene("panic").log.decode().partition("\npanic: ")
    assert 5_000 < len(trace) < 7_500
    assert trace.splitlines()[:3] == ("panic: " + recorded[2]).splitlines()[:3]
    assert not re.search("panic:|panicking|fatal", text[-KEPT_BY_KUBELET:])


@pytest.mark.parametrize("failure", StartFailure, ids=lambda failure: str(failure.value))
async def test_failures_of_the_start(failure: StartFailure) -> None:
    """Are the lines from the failure on those of the recorded node, byte for byte but for time?"""
    now = await told(Plan(fails_to_start=failure), 1)
    was = scene(failure.value).log.decode()
    assert _last_words(now) == _last_words(was)
    starts = [line.message for line in lines(was) if line.message not in DIFFERENCES]
    assert [line.message for line in lines(now)] == starts


def _last_words(log: str) -> list[str]:
    """The error, fatal and bare lines, without times."""
    found = [
        line
        for line in log.splitlines()
        if not line.startswith(('{"level":"info', '{"level":"warn'))
    ]
    return [re.sub(r'"timestamp":"[^"]*"|"caller":"[^"]*"', "", line) for line in found]


async def test_a_chain_that_cannot_be_made() -> None:
    """Does the node start with a configuration of C that is no JSON, and go down as C is made?"""
    text = scene("c-config-not-json").about["c_config"]
    async with recorded_lab(Plan(bootstrap_seconds=8), broken_c_config=text) as lab:
        await lab.clock.advance(10)
        assert await lab.life == scene("c-config-not-json").exit_code
        now = lab.node.log.text()
    was = scene("c-config-not-json").log.decode()
    assert _last_words(now)[:1] == [w for w in _last_words(was) if '"fatal"' in w][:1]
    begin = "error creating required chain"
    # The recorded node begins to make X meanwhile.
    found = _spoken(behind(begin, lines(now)))
    assert set(found) <= set(_spoken(behind(begin, lines(was))))
    assert found[0] == ("fatal", "", begin)


async def test_data_of_another_network() -> None:
    """Is it refused as a wrong genesis is?"""
    async with recorded_lab(Plan(), progress=Progress(network="mainnet")) as lab:
        assert await lab.life == 1
        assert _last_words(lab.node.log.text()) == _last_words(scene("wrong-genesis").log.decode())


@pytest.mark.parametrize(
    ("summary", "mode"), [("Static", '"syncMode":"Static"'), ("Skipped", '"syncMode":"Skipped"')]
)
async def test_whether_the_state_is_synced_is_said_once(summary: str, mode: str) -> None:
    """Does the log say so, when C begins?"""
    plan = Plan(bootstrap_seconds=16, summary=summary)
    text = await told(plan, 30, SyncMode.STATE)
    said = [line for line in text.splitlines() if "accepted state summary" in line]
    assert len(said) == 1
    assert mode in said[0]


async def test_a_peer_of_a_newer_version_is_told_at_each_attempt() -> None:
    """Are both versions named, again and again, and nothing else said?"""
    text = await told(MOVED_ON, 60)
    said = [line for line in text.splitlines() if "newer version" in line]
    assert len(said) > 10
    for words in ('"myVersion":"avalanchego/1.14.2"', '"peerVersion":"avalanchego/1.16.0"'):
        assert words in said[0]


async def test_a_build_that_cannot_read_blocks_says_nothing() -> None:
    """Does C begin, and then no line come for as long as it lives?"""
    plan = Plan(bootstrap_seconds=8, cannot_parse=True)
    before, after = await told(plan, 20), await told(plan, 2000)
    assert after == before
    last = [line.message for line in lines(after) if line.chain == "C"][-1]
    assert last == "starting bootstrapper"
