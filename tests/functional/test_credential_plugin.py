"""A credential plugin as a program: nothing of it stays behind, and its last words are told."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import IO, TypeVar

import pytest

from controller.base.errors import Unavailable
from controller.kube.login.kubeconfig.chosen import Chosen
from controller.kube.login.kubeconfig.exec_plugin import LARGEST_ANSWER, Surrounding, ask_plugin
from controller.kube.login.kubeconfig.stanzas import Cluster, CredentialStatus, ExecPlugin, User
from tests.kube_samples.clock import InstantClock

T = TypeVar("T")

V1 = "client.authentication.k8s.io/v1"
GOOD = f'{{"apiVersion": "{V1}", "kind": "ExecCredential", "status": {{"token": "t"}}}}'
LONG = "sleep 100000"
CHOSEN = Chosen("x", Cluster(server="https://h"), User(), "default")


class PatientClock(InstantClock):
    """Whose limits end when the test says so: `over`."""

    def __init__(self) -> None:
        super().__init__()
        self.over = asyncio.Event()
        self.limits: list[float] = []

    async def within(self, seconds: float, awaitable: Awaitable[T]) -> T:
        if self.limits:  # only the first is the plugin's
            return await awaitable
        self.limits.append(seconds)
        work, over = asyncio.ensure_future(awaitable), asyncio.ensure_future(self.over.wait())
        try:
            await asyncio.wait({work, over}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            raise TimeoutError
        finally:
            for task in (work, over):
                task.cancel()
            await asyncio.gather(work, over, return_exceptions=True)


class Plugin:
    """A program that holds a pipe open, as all that it starts does: as long as one of them lives
    the pipe has no end.
    """

    def __init__(self, folder: Path, *lines: str) -> None:
        self.pipe = folder / "pipe"
        os.mkfifo(self.pipe)
        self._path = folder / "plugin"
        begin = [f"#!/bin/sh\nexec 3>{self.pipe}", *lines]
        self._path.write_text("\n".join(begin) + "\n")
        self._path.chmod(0o755)
        self.clock = PatientClock()

    def ask(self) -> "asyncio.Task[CredentialStatus]":
        plugin = ExecPlugin(api_version=V1, command=str(self._path), interactive_mode="Never")
        around = Surrounding({"PATH": os.environ["PATH"]}, self.clock)
        return asyncio.create_task(ask_plugin(plugin, CHOSEN, around))

    async def opened(self) -> IO[str]:
        """The pipe, once the program has it."""
        return await asyncio.to_thread(self.pipe.open)


async def line_of(pipe: IO[str]) -> str:
    return (await asyncio.to_thread(pipe.readline)).strip()


async def end_of(pipe: IO[str]) -> None:
    """Returns when nobody of them lives any more."""
    assert await asyncio.to_thread(pipe.read) == ""
    pipe.close()


HANGING = {
    "itself": ("echo ready >&3", LONG),
    "with a child": (f"{LONG} &", "echo ready >&3", LONG),
    "through a child that keeps its output": (f"{LONG} &", "echo ready >&3", f"echo '{GOOD}'"),
    "deaf to being asked": ("trap '' TERM INT HUP", f"{LONG} &", "echo ready >&3", "wait"),
}


@pytest.mark.parametrize("lines", HANGING.values(), ids=HANGING)
async def test_a_plugin_that_hangs_is_ended_with_its_children(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    """Is nothing left behind after the time limit, and the reason said with its last words?"""
    plugin = Plugin(tmp_path, "echo 'open a \x1b[1mbrowser' >&2", *lines)
    asking = plugin.ask()
    pipe = await plugin.opened()
    assert await line_of(pipe) == "ready"
    plugin.clock.over.set()
    with pytest.raises(Unavailable, match=r"was ended after 60 seconds: open a  .1mbrowser"):
        await asking
    assert plugin.clock.limits == [60]
    await end_of(pipe)


async def test_a_plugin_ends_with_whoever_asked(tmp_path: Path) -> None:
    """Is nothing left behind where we are stopped meanwhile?"""
    plugin = Plugin(tmp_path, *HANGING["with a child"])
    asking = plugin.ask()
    pipe = await plugin.opened()
    assert await line_of(pipe) == "ready"
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await end_of(pipe)


@pytest.fixture
def agents() -> Iterator[list[int]]:
    found: list[int] = []
    yield found
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def test_an_agent_of_a_plugin_that_answered_stays(tmp_path: Path, agents: list[int]) -> None:
    """Is what a good plugin leaves running, with its own errors still open, left alone?"""
    plugin = Plugin(tmp_path, f"{LONG} >/dev/null &", "echo $! >&3", f"echo '{GOOD}'")
    asking = plugin.ask()
    pipe = await plugin.opened()
    agents.append(int(await line_of(pipe)))
    assert (await asking).token == "t"
    os.kill(agents[0], 0)
    pipe.close()


async def test_a_plugin_that_never_ends_writing_is_ended(tmp_path: Path) -> None:
    """Is no more read than any answer has?"""
    plugin = Plugin(tmp_path, "yes")
    asking = plugin.ask()
    pipe = await plugin.opened()
    with pytest.raises(Unavailable, match=f"more than {LARGEST_ANSWER} bytes"):
        await asking
    await end_of(pipe)


async def test_a_plugin_that_fails_is_quoted_shortly_and_without_secrets(tmp_path: Path) -> None:
    """Are its last words one line, and is a token among them not shown?"""
    words = (
        "echo 'token=hunter2hunter2' >&2; yes more | head -n 9000 >&2; echo 'the end' >&2; exit 4"
    )
    plugin = Plugin(tmp_path, words)
    asking = plugin.ask()
    pipe = await plugin.opened()
    with pytest.raises(Unavailable) as caught:
        await asking
    said = str(caught.value)
    assert "ended with 4: " in said
    assert len(said) < 900
    assert "\n" not in said
    assert "hunter2" not in said
    await end_of(pipe)
