"""Names that nobody has, and names that several have: in each command that takes them."""

import pytest

from controller.simulator.world import PERSON
from tests.commands import Finished, command
from tests.controlled_world import SELDOM, ControlledWorld

pytestmark = pytest.mark.jumping

TARGET = "fuji-c-chain-state-sync"


async def ask(world: ControlledWorld, *words: str) -> Finished:
    registry = f"docker.io={world.world.registry.url}"
    return await command(
        *words, KUBECONFIG=str(world.kubeconfig), BOOTSTRAP_REGISTRIES=registry
    )  # fmt: skip


UNKNOWN = [
    ("status fujj", "bootstrap/fuji"),
    ("explain fujj", "bootstrap/fuji"),
    ("explain bootstrap/fujj", "bootstrap/fuji"),
    ("wait fujj", "bootstrap/fuji"),
    ("logs fujj", "bootstrap/fuji"),
    ("preview fujj", "bootstrap/fuji"),
    ("suspend fujj", "bootstrap/fuji"),
    ("resume bootstrap/fujj", "bootstrap/fuji"),
    ("retest fujj", "bootstrap/fuji"),
    ("abort fujj", "bootstrap/fuji"),
    ("end-hold fujj", "bootstrap/fuji"),
    ("test-build latest fujj", "bootstrap/fuji"),
    ("history --deployment fujj", "bootstrap/fuji"),
    ("history --target fuji-c-chain", TARGET),
    ("stats fuji-c-chain", TARGET),
    ("qualify latest --require fuji-c-chain", TARGET),
    ("qualify v1.14.7", "v1.14.0"),
    ("builds v1.14.7", "v1.14.0"),
    ("history --version v1.14.7", "1.14.0"),
    ("show fujj", "fuji"),
    ("show RUN9", "RUN"),
    ("diff fuji fujj", "fuji"),
    ("diff fuji RUN9", "RUN"),
]


async def test_unknown_names(world: ControlledWorld) -> None:
    """Does each command offer the nearest name, print nothing else, and exit with 3?"""
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: "tested already" in world.message("fuji"))
    await world.stop()
    record = world.record("fuji")
    assert record is not None
    run = record.outcomes[-1].run
    for line, near in UNKNOWN:
        words = line.replace("RUN9", f"{run[:-1]}{'0' if run[-1] != '0' else '1'}").split()
        done = await ask(world, *words)
        assert (done.code, done.out) == (3, ""), (line, done)
        assert near.replace("RUN", run) in done.err, (line, done.err)


SEVERAL = [
    "explain fuji", "wait fuji", "logs fuji", "suspend fuji", "resume fuji", "retest fuji",
    "abort fuji", "end-hold fuji", "test-build latest fuji", "history --deployment fuji",
    "show fuji", "diff fuji fuji",
]  # fmt: skip


async def test_names_of_several(world: ControlledWorld) -> None:
    """Is it asked back with the choices, nothing done, and the exit code that of bad usage?"""
    world.deploy("fuji")
    other = {"metadata": {"name": "other"}}
    world.world.api.objects.create("namespaces", other, PERSON)
    world.deploy("fuji", namespace="other")
    for line in SEVERAL:
        done = await ask(world, *line.split(), "-n", "bootstrap", "-n", "other")
        assert (done.code, done.out) == (2, ""), (line, done)
        assert "write one of bootstrap/fuji, other/fuji" in done.err, (line, done.err)


FORMS = [
    ("evidence RUN", None),
    ("logs fuji", None),
    ("qualify latest", "'table', 'wide', 'json', 'name', 'markdown'"),
    *(
        (words, "'table', 'wide', 'json', 'name'")
        for words in (
            "status", "explain fuji", "history", "builds", "show fuji", "diff fuji fuji",
            f"stats {TARGET}", "doctor", "preview fuji", "wait fuji", "explain-log", "suspend fuji",
            "resume fuji", "retest fuji", "abort fuji", "end-hold fuji", "test-build latest fuji",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("line", "choices"), FORMS)
async def test_formats_that_mean_nothing(line: str, choices: str | None) -> None:
    """Is a format refused that means nothing, with those that there are?"""
    done = await command(*line.split(), "--output", "yaml")
    assert (done.code, done.out) == (2, "")
    assert (choices or "No such option: --output") in done.err
