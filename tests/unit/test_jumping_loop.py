"""The loop whose clock jumps: it never jumps over what is still to be done."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest
from aiohttp import ClientSession, web

from tests.jumping_loop import BEGIN, JumpingLoop, LoopClock

pytestmark = pytest.mark.jumping


def jumping_loop() -> JumpingLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    return loop


async def test_a_day_takes_no_time() -> None:
    """Does whoever sleeps for a day wake a day later, and is nothing waited for?"""
    clock = LoopClock()
    await clock.sleep(86400.0)
    assert clock.monotonic() == 86400.0
    assert (clock.now() - BEGIN).total_seconds() == 86400.0
    assert jumping_loop().jumping.jumps == 1


async def test_sleepers_wake_in_their_order() -> None:
    """Is the clock at each one's own moment when it wakes?"""
    clock = LoopClock()
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(clock.monotonic())

    await asyncio.gather(*(sleeper(seconds) for seconds in (7200.0, 60.0, 3600.0)))
    assert woken == [60.0, 3600.0, 7200.0]


async def _serve(answer: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(answer)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/"


async def test_a_request_takes_only_the_time_that_its_server_takes() -> None:
    """Does an exchange over a real socket take no time, but for what the server waits?"""
    clock = LoopClock()

    async def handler(_: web.Request) -> web.Response:
        await clock.sleep(5.0)
        return web.Response(body=b"x" * 300_000)

    app = web.Application()
    app.router.add_get("/", handler)
    runner, url = await _serve(app)
    try:
        async with ClientSession() as session:
            for _ in range(20):
                async with asyncio.timeout(5.1), session.get(url) as response:
                    assert len(await response.read()) == 300_000
    finally:
        await runner.cleanup()
    assert 100.0 <= clock.monotonic() < 100.1


async def test_a_time_limit_strikes_at_its_moment() -> None:
    """Does a limit of an hour end what would take two, after an hour?"""
    clock = LoopClock()
    with pytest.raises(TimeoutError):
        await clock.within(3600.0, clock.sleep(7200.0))
    assert clock.monotonic() == 3600.0


# Seconds of the clock, which goes as the machine's does until then: so long is what is waited for
# held up. A clock that jumped would say so in `jumps`.
HELD_UP = 0.02


async def test_a_thread_is_waited_for() -> None:
    """Does the clock not jump to the limit of a day while a thread works?"""
    loop, done = jumping_loop(), threading.Event()
    loop.call_later(HELD_UP, done.set)
    await LoopClock().within(86400.0, asyncio.to_thread(done.wait))
    assert loop.jumping.jumps == 0


async def test_a_program_is_waited_for() -> None:
    """Does the clock not jump to the limit of a day while a program runs, and jump after it?"""
    loop, clock = jumping_loop(), LoopClock()
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import sys; sys.stdin.read()", stdin=asyncio.subprocess.PIPE
    )
    assert program.stdin is not None
    loop.call_later(HELD_UP, program.stdin.close)
    assert await clock.within(86400.0, program.wait()) == 0
    assert loop.jumping.jumps == 0
    await clock.sleep(86400.0)
    assert loop.jumping.jumps == 1


# Answers each pair of questions in four pieces, and each piece when it is told to.
SLOW_SERVER = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
found, _ = listener.accept()
for _ in range(3):
    asked = 0
    while asked < 2:
        asked += found.recv(1000).count(b"?")
    for piece in (b"ans", b"wer", b"ans", b"wer"):
        sys.stdin.readline()
        found.send(piece)
sys.stdin.read()
"""


async def test_output_is_waited_for_that_outlives_its_program() -> None:
    """Does a time limit of a day hold while a child of a program still holds its output open,
    though the program has ended before the loop came to hear of it?
    """
    loop = jumping_loop()
    loop.call_soon(time.sleep, 0.2)  # a busy machine: nothing of the loop's runs after the fork
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", "(sleep 0.5; echo late) & exit 3", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await LoopClock().within(86400.0, process.communicate())
    assert (process.returncode, output) == (3, b"late\n")


async def test_a_server_in_another_process_is_waited_for() -> None:
    """Does the clock not jump to the limit of a day while a server that is not ours has not
    answered, or not yet to the end?
    """
    loop, clock = jumping_loop(), LoopClock()
    server = subprocess.Popen(  # noqa: ASYNC220 it answers on a socket, in its own time
        [sys.executable, "-c", SLOW_SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdin is not None
    assert server.stdout is not None

    def go_on() -> None:
        server.stdin.write(b"\n")
        server.stdin.flush()

    try:
        port = int(server.stdout.readline())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for day in range(3):
            writer.write(b"one question?")
            writer.write(b"another one?")
            for piece in range(1, 5):
                loop.call_later(HELD_UP * piece, go_on)
            for _ in range(2):
                assert await clock.within(86400.0, reader.readexactly(6)) == b"answer"
            assert loop.jumping.jumps == day
            await clock.sleep(86400.0)
        writer.close()
        await writer.wait_closed()
    finally:
        server.communicate(b"")
