"""`logs`: of what runs, as it grows, and of what does not run.

With real time: a follower waits for what a person would wait for.
"""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from controller.base.clock import SystemClock
from controller.simulator.apiserver.auth import Access
from controller.simulator.apiserver.followed_log import Rest
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.server import ServerSettings
from controller.simulator.apiserver.statuses import bad_request
from controller.simulator.world import NAMESPACE, World
from tests.commands import Finished, command, running, without_server

LIMIT = 50.0  # seconds; a hard limit for a loaded machine
NO_PREVIOUS = 'previous terminated container "node" in pod "{}" not found'


class Desk:
    """A Deployment, and its node's log in hand."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.kubeconfig = world.kubeconfig(folder / "kubeconfig")
        self.text = "first\n"
        self.asked: list[str] = []  # pods whose log was asked for
        self._later, self._ended = "", False
        world.api.served.logs = self._whole
        world.api.served.followed = lambda *_: self._look

    def write(self, text: str) -> None:
        self._later += text

    def end(self) -> None:
        """The container ends."""
        self._ended = True

    async def ask(self, *words: str) -> Finished:
        return await command("logs", *words, "--kubeconfig", str(self.kubeconfig))

    @asynccontextmanager
    async def following(self) -> AsyncIterator[Process]:
        place = ("--kubeconfig", str(self.kubeconfig))
        async with running("logs", "fuji", "-f", *place) as process, asyncio.timeout(LIMIT):
            assert await line(process) == "first\n"
            yield process

    def pods(self) -> list[Object]:
        return list(self.world.api.storage.objects("pods", NAMESPACE))

    def _whole(self, _namespace: str, pod: str, _container: str) -> str:
        self.asked.append(pod)
        return self.text

    def _look(self) -> Rest:
        later, self._later = self._later, ""
        return Rest(later, self._ended)


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode()


async def said(process: Process) -> tuple[str, str]:
    """What it still writes until it ends, without the line that names the API server."""
    out, err = await process.communicate()
    return out.decode(), without_server(err.decode())[0]


class Rights:
    """All but those that are missing, as resources."""

    def __init__(self) -> None:
        self.missing: set[str] = set()

    def __call__(self, access: Access) -> bool:
        return access.resource not in self.missing


@pytest.fixture
def rights() -> Rights:
    return Rights()


@pytest.fixture
async def desk(tmp_path: Path, rights: Rights) -> AsyncIterator[Desk]:
    settings = ServerSettings(rights=rights)
    async with World(SystemClock(), Random(1), kubelet=False, settings=settings) as world:
        desk = Desk(world, tmp_path)
        world.deploy("fuji")
        await world.until(lambda: world.pod_of("fuji"))
        yield desk


async def test_following_until_the_container_ends(desk: Desk) -> None:
    """Does each line come when it is written, and is the end of the container the end, with 0?"""
    async with desk.following() as process:
        desk.write("second\n")
        assert await line(process) == "second\n"
        desk.write("last\n")
        desk.end()
        assert await said(process) == ("last\n", "")
        assert process.returncode == 0


async def test_ctrl_c_ends_it_quietly(desk: Desk) -> None:
    """Is Ctrl-C exit 130, without a word?"""
    async with desk.following() as process:
        process.send_signal(signal.SIGINT)
        assert await said(process) == ("", "")
        assert process.returncode == 130


async def test_a_server_that_goes_away(desk: Desk) -> None:
    """Is a connection that breaks one sentence and exit 1, and not the same as the end of a log?"""
    async with desk.following() as process:
        await desk.world.api.stop()
        out, err = await said(process)
    assert (process.returncode, out, len(err.splitlines())) == (1, "", 1)
    assert "the API server" in err


async def test_a_reader_that_has_enough(desk: Desk) -> None:
    """Is a pipe that is closed, as `head` does it, the end without a word?"""
    async with desk.following() as process:
        assert process.stdout is not None
        process.stdout._transport.close()  # type: ignore[attr-defined]
        desk.write("second\n")
        assert process.stderr is not None
        assert without_server((await process.stderr.read()).decode())[0] == ""
        assert await process.wait() == 1


async def test_the_process_before(desk: Desk) -> None:
    """Is the log before the last restart shown, and said in one sentence that there is none?"""

    def none(*whose: str) -> str:
        raise bad_request(NO_PREVIOUS.format(whose[1]))

    [pod] = desk.pods()
    desk.world.api.served.previous_logs = none
    done = await desk.ask("fuji", "--previous")
    assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert NO_PREVIOUS.format(pod["metadata"]["name"]) in done.err
    desk.world.api.served.previous_logs = lambda *_: "before\n"
    done = await desk.ask("fuji", "-p")
    assert (done.code, done.out, done.err) == (0, "before\n", "")


async def test_a_pod_that_waits(desk: Desk) -> None:
    """Is it said what its container waits for, in the kubelet's words?"""
    why = 'container "node" in pod "x" is waiting to start: PodInitializing'

    def waits(*_: str) -> str:
        raise bad_request(why)

    desk.world.api.served.logs = waits
    for follow in ((), ("-f",)):
        done = await desk.ask("fuji", *follow)
        assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
        assert why in done.err


async def test_a_deployment_without_pods(desk: Desk) -> None:
    """Is it said that there is none now, and where an ended run's log is?"""
    desk.world.change("fuji", lambda d: d["spec"].update(replicas=0))
    await desk.world.until(lambda: not desk.pods())
    done = await desk.ask("fuji")
    assert (done.code, done.out) == (1, "")
    assert "bootstrap/fuji has no pod now: `explain` says why, `evidence` has" in done.err


async def test_several_pods(desk: Desk) -> None:
    """Is it the log of the one that stays, where the newest one ends?"""
    [old] = desk.pods()
    desk.world.change("fuji", lambda d: d["spec"].update(replicas=2))
    [new] = await desk.world.until(
        lambda: [p for p in desk.pods() if p["metadata"]["name"] != old["metadata"]["name"]]
    )
    name = new["metadata"]["name"]
    desk.world.api.objects.update(
        "pods", NAMESPACE, name, lambda pod: pod["metadata"].update(finalizers=["a/b"])
    )
    desk.world.api.objects.delete("pods", NAMESPACE, name)
    await desk.ask("fuji")
    assert name not in desk.asked
    assert len(desk.asked) == 1


async def test_lines_that_are_not_for_a_terminal(desk: Desk) -> None:
    """Does each character that would move the cursor or turn the text become a space, while tabs,
    other letters and a line of any length stay?
    """
    long = "x" * 3_000_000
    desk.text = f"\x1b[2Jgone\x07\u202e\tcafé\n{long}\n"
    done = await desk.ask("fuji")
    assert (done.code, done.err) == (0, "")
    assert done.out == f" [2Jgone  \tcafé\n{long}\n"


async def test_without_the_right(desk: Desk, rights: Rights) -> None:
    """Is the right named that is missing?"""
    rights.missing = {"pods/log"}
    done = await desk.ask("fuji")
    assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert "pods/log" in done.err
