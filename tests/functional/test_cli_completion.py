"""What a shell completes, as its own script asks for it."""

import pytest

from tests.commands import Finished, command
from tests.controlled_world import ControlledWorld

pytestmark = pytest.mark.jumping


async def completed(line: str, **environ: str) -> Finished:
    return await command(
        COMP_WORDS=line,
        COMP_CWORD=str(len(line.split(" ")) - 1),
        _BOOTSTRAP_CONTROLLER_COMPLETE="complete_bash",
        COMP_PROGRAM="",
        **environ,
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bootstrap-controller sta", ["status"]),
        ("bootstrap-controller status fu", ["fuji", "fuji-full"]),
        ("bootstrap-controller status bootstrap/m", ["bootstrap/main"]),
        ("bootstrap-controller explain m", ["main"]),
        ("bootstrap-controller suspend fuji-", ["fuji-full"]),
        ("bootstrap-controller history --target main", ["mainnet-c-chain-state-sync"]),
        ("bootstrap-controller history --outcome p", ["passed"]),
        ("bootstrap-controller status --wa", ["--watch"]),
    ],
)
async def test_what_is_offered(world: ControlledWorld, line: str, words: list[str]) -> None:
    """Are commands, flags, names of Deployments and targets offered?"""
    for name, network in (("fuji", "fuji"), ("fuji-full", "fuji"), ("main", "mainnet")):
        world.deploy(name, network=network)
    done = await completed(line, KUBECONFIG=str(world.kubeconfig))
    assert (done.out.split(), done.err) == (words, "")


async def test_no_cluster() -> None:
    """Is nothing offered, and nothing said, where there is no cluster?"""
    done = await completed("bootstrap-controller status fu", KUBECONFIG="/nowhere")
    assert (done.out.split(), done.err) == ([], "")
