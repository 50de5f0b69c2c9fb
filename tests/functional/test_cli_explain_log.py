"""`explain-log`: a person with a log in hand."""

from pathlib import Path

import pytest

from tests.commands import command
from tests.scenes import FOLDER, scene

BAD_BLOCK = str(FOLDER / "bad-block.log")


async def test_a_whole_log_is_explained_for_programs() -> None:
    """Does the JSON name reason, class, sentence, line, chain, height, block and error?"""
    found = await command("explain-log", BAD_BLOCK, "--exit-code", "1", "--output", "json")
    told = found.json()
    assert told.pop("line").startswith('{"level":"fatal"')
    assert told == {
        "reason": "BadBlock",
        "class": "client",
        "sentence": (
            "C cannot verify block 5000 (hrgMSH1…): invalid merkle root, local 9e84…,"
            " expected c4e1…"
        ),
        "chain": "C",
        "height": 5000,
        "block": "hrgMSH1VPFSmqrz1TnxTpFLZeYJqKg7tTrxYk6EyPPXAYN7gK",
        "error": "invalid merkle root, local 9e84…, expected c4e1…",
    }


async def test_the_last_bytes_say_what_is_missing(tmp_path: Path) -> None:
    """Does the end that a kubelet keeps say that the cause is not in it, and what to give?"""
    end = tmp_path / "end.log"
    end.write_bytes(scene("bad-block").kept_by_kubelet)
    found = await command("explain-log", str(end), "--exit-code", "1")
    assert found.code == 0
    assert "CrashLoop" in found.out
    assert "unclear" in found.out
    assert "kubectl logs NAME --previous" in found.out


async def test_a_container_that_was_killed_for_its_memory() -> None:
    """Does the reason of a container's end count more than its log?"""
    found = await command("explain-log", BAD_BLOCK, "--reason", "OOMKilled", "-o", "json")
    assert (found.json()["reason"], found.json()["class"]) == ("OutOfMemory", "infrastructure")


async def test_a_node_that_was_stopped_has_not_failed() -> None:
    """Is the log of a node that was told to stop no failure?"""
    found = await command("explain-log", str(FOLDER / "full-plain.log"), "-o", "json")
    assert (found.json()["reason"], found.json()["class"]) == ("", "")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("/nowhere.log",), 2, "/nowhere.log cannot be read"),
        (("/",), 2, "cannot be read: Is a directory"),
        ((BAD_BLOCK, "--exit-code", "256"), 2, "--exit-code"),
        ((BAD_BLOCK, "--output", "xml"), 2, "xml"),
        (("/dev/null",), 3, "there is nothing in /dev/null"),
    ],
)
async def test_what_cannot_be_explained_is_said(
    words: tuple[str, ...], code: int, says: str
) -> None:
    """Is bad input told in one sentence, by the exit code of its kind?"""
    found = await command("explain-log", *words)
    assert found.code == code
    assert says in found.err
    assert found.out == ""
