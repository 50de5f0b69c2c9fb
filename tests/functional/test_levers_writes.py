"""How a lever is written: guarded, read again where it was refused, and never half understood."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import orjson
import pytest

from controller.base.errors import Forbidden
from controller.cli.main import main
from controller.domain import names
from controller.inspection import lever_annotations as wishes
from controller.inspection.lever_annotations import Lever, Result
from controller.inspection.lever_writer import FIELD_MANAGER, LeverHand, Pulled, open_hand
from controller.process.wiring import Surroundings
from controller.settings.settings import load_settings
from controller.simulator.apiserver.auth import Access
from controller.simulator.apiserver.server import ServerSettings, SimulatedApiServer
from controller.simulator.apiserver.server_faults import failure
from controller.simulator.faults import Answer, LoseReply
from controller.simulator.manifests import TargetManifest
from controller.simulator.world import PERSON, World
from tests.jumping_loop import LoopClock
from tests.lever_command import command

pytestmark = pytest.mark.jumping

WHO = "jane@laptop"
SETTINGS = ServerSettings(namespaces=("default", "bootstrap", "other"))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A Deployment without an annotation of ours, and no controller."""
    async with World(LoopClock(), Random(1), kubelet=False, settings=SETTINGS) as world:
        world.deploy("fuji")
        yield world


@pytest.fixture
async def hand(world: World, tmp_path: Path) -> AsyncIterator[LeverHand]:
    async with opened(world.kubeconfig(tmp_path / "kubeconfig")) as hand:
        yield hand


async def pulled(hand: LeverHand, lever: Lever) -> list[Pulled]:
    return [each async for each in hand.pull(lever, await hand.all(), WHO)]


async def one(hand: LeverHand, lever: Lever) -> tuple[Result, str]:
    (only,) = await pulled(hand, lever)
    return only.wish.result, only.wish.said


def annotations(world: World, name: str = "fuji", namespace: str = "bootstrap") -> dict[str, str]:
    """Those of ours."""
    found = world.deployment(name, namespace)["metadata"].get("annotations") or {}
    return {key: value for key, value in found.items() if key.startswith(names.PREFIX)}


def patches(world: World) -> int:
    return sum(seen.method == "PATCH" for seen in world.api.requests)


@asynccontextmanager
async def opened(kubeconfig: Path) -> AsyncIterator[LeverHand]:
    async with AsyncExitStack() as stack:
        around = Surroundings(LoopClock(), Random(2), {})
        yield await open_hand(load_settings({"kubeconfig": str(kubeconfig)}, {}), around, stack)


async def test_a_first_annotation_is_written(tmp_path: Path) -> None:
    """Is a missing map of annotations added whole, and managedFields name the command?"""
    api = SimulatedApiServer(LoopClock(), Random(1))  # and nobody who writes annotations
    await api.start()
    try:
        api.objects.create("deployments", TargetManifest("fuji").deployment(), PERSON)
        made = api.objects.get("deployments", "bootstrap", "fuji")
        assert "annotations" not in made["metadata"]
        async with opened(api.kubeconfig(tmp_path / "kubeconfig", namespace="bootstrap")) as hand:
            told = await one(hand, wishes.suspend)
    finally:
        await api.stop()
    assert told == (Result.WRITTEN, "suspended: nothing new is started")
    metadata = api.objects.get("deployments", "bootstrap", "fuji")["metadata"]
    assert metadata["annotations"] == {names.SUSPEND: "true"}
    assert FIELD_MANAGER in {entry["manager"] for entry in metadata["managedFields"]}


async def test_a_race_with_another_person_is_seen(world: World, hand: LeverHand) -> None:
    """Is a Deployment that was changed between the reading and the write read again?"""
    await hand.all()
    world.annotate("fuji", suspend="true")
    result, said = await one(hand, wishes.suspend)
    assert (result, patches(world)) == (Result.UNCHANGED, 1)
    assert "suspended already" in said


async def test_a_deployment_made_again_is_read_again(world: World, hand: LeverHand) -> None:
    """Is another Deployment of the same name not written by what was decided on the first?"""
    await hand.all()
    world.delete("fuji")
    world.deploy("fuji")
    assert (await one(hand, wishes.suspend))[0] is Result.WRITTEN
    assert patches(world) == 2


async def test_a_deployment_that_is_gone_is_said_to_be(world: World, hand: LeverHand) -> None:
    """Does one that is gone fail alone, and the next one get its annotation?"""
    world.deploy("other")
    await hand.all()
    world.delete("fuji")
    first, second = await pulled(hand, wishes.suspend)
    assert (first.deployment, first.wish.result) == ("bootstrap/fuji", Result.FAILED)
    assert "not found" in first.wish.said
    assert (second.deployment, second.wish.result) == ("bootstrap/other", Result.WRITTEN)
    assert annotations(world, "other") == {names.SUSPEND: "true"}


@pytest.mark.parametrize(
    "answer", [failure(409, "Conflict"), Answer(429), failure(500, "Internal")]
)
async def test_a_refusal_that_passes_is_tried_again(
    world: World, hand: LeverHand, answer: Answer
) -> None:
    """Is the annotation written at the second try?"""
    world.api.faults.add(answer, method="PATCH")
    assert (await one(hand, wishes.suspend))[0] is Result.WRITTEN
    assert annotations(world) == {names.SUSPEND: "true"}
    assert patches(world) == 2


async def test_a_lost_reply_is_looked_for(world: World, hand: LeverHand) -> None:
    """Is a write whose reply was lost found, called written, and not written again?"""
    world.api.faults.add(LoseReply(), method="PATCH")
    assert (await one(hand, wishes.suspend))[0] is Result.WRITTEN
    assert patches(world) == 1


async def test_a_missing_right_is_named(world: World, hand: LeverHand) -> None:
    """Does the sentence name verb and resource, for writing and for reading?"""
    await hand.all()
    missing = {"patch", "list"}

    def rights(access: Access) -> bool:
        return access.verb not in missing

    world.api.gate.rights = rights
    result, said = await one(hand, wishes.suspend)
    assert result is Result.FAILED
    assert "not allowed to patch deployments.apps fuji in namespace bootstrap" in said
    with pytest.raises(Forbidden, match=r"list deployments\.apps in namespace other"):
        await hand.choose(["other/fuji"])


async def test_what_nobody_has_seen_is_asked_for_nothing(world: World, hand: LeverHand) -> None:
    """Is nothing written that the controller would only note at its first meeting?"""
    for lever in (wishes.retest, wishes.abort, wishes.end_hold):
        result, said = await one(hand, lever)
        assert result is Result.NOTHING
        assert "no controller has seen it yet" in said
    assert patches(world) == 0


async def test_a_record_that_cannot_be_read_is_said(world: World, hand: LeverHand) -> None:
    """Is a lever that rests on the record not pulled where the record is spoilt?"""
    world.annotate("fuji", record="{")
    result, said = await one(hand, wishes.abort)
    assert result is Result.FAILED
    assert "does not parse" in said
    assert patches(world) == 0


@pytest.fixture
async def kubeconfig(world: World, tmp_path: Path) -> Path:
    """Of a world with `fuji` in two namespaces."""
    world.deploy("fuji", namespace="other")
    return world.kubeconfig(tmp_path / "typed")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("abort", "nobody"), 3, "no labelled Deployment 'nobody' is here"),
        (("suspend", "fuji", "nobody"), 3, "no labelled Deployment 'nobody' is here"),
        (("suspend", "--all", "-n", "default"), 3, "no labelled Deployment is here"),
        (("suspend", "fuji", "-A"), 2, "write one of bootstrap/fuji, other/fuji"),
    ],
)
async def test_names_that_mean_nothing_or_several_are_said(
    world: World, kubeconfig: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    """Does what cannot be meant end with exit code and sentence, and is nothing written?"""
    said = await command(kubeconfig, *words)
    assert (said.code, said.out) == (code, "")
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert patches(world) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("suspend", "fuji", "--all"), "either names of Deployments or --all"),
        (("resume",), "write the name of a Deployment"),
        (("test-build",), "write the tag or digest"),
        (("test-build", "v1:0", "fuji"), "'v1:0' is not a digest: write 'sha256:'"),
        (("test-build", "a b", "fuji"), "'a b' is not a tag"),
        (("test-build", "v1.15.0"), "write the name of a Deployment"),
        (("test-build", "--clear"), "write the name of a Deployment"),
        (("retest",), "Missing argument"),
    ],
)
def test_bad_usage_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    sentence: str,
) -> None:
    """Does bad usage end with exit code 2 and a sentence, before a cluster is looked for?"""
    monkeypatch.setattr(sys, "argv", ["bootstrap-controller", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


async def test_several_are_written_and_told_as_json(world: World, kubeconfig: Path) -> None:
    """Does one command write several Deployments, and `--output json` say what it wrote?"""
    words = ("test-build", "v1.15.0", "fuji", "other/fuji", "--output", "json")
    code, out, err = await command(kubeconfig, *words)
    assert (code, err) == (0, "")
    told = orjson.loads(out)
    assert [each["deployment"] for each in told] == ["bootstrap/fuji", "other/fuji"]
    for each, namespace in zip(told, ("bootstrap", "other"), strict=True):
        assert (each["result"], each["annotation"]) == ("written", names.TEST_BUILD)
        assert each["value"] == "v1.15.0"
        assert annotations(world, "fuji", namespace) == {names.TEST_BUILD: "v1.15.0"}
    assert (await command(kubeconfig, "test-build", "", "-A", "--all")).code == 0
    assert annotations(world) == annotations(world, "fuji", "other") == {}
