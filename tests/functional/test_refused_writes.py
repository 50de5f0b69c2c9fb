"""Writes that the cluster does not take, for an hour each: few requests, the server's own sentence
once, nobody else harmed, and all well again by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from loguru import logger

from controller.domain import names
from controller.simulator.apiserver.admission import (
    Review,
    denied_by_policy,
    denied_by_webhook,
    no_dry_run,
    webhook_down,
)
from controller.simulator.apiserver.resources import Object
from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.apiserver.storage import Change
from controller.simulator.faults import Answer, Refuse
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from controller.simulator.world import NAMESPACE
from tests.controlled_world import HOUR, MINUTE, REPOSITORY, ControlledWorld, controlled_world
from tests.redis_servers import free_port

pytestmark = pytest.mark.jumping

MOST = 40  # requests in an hour by which a Deployment is written, or a write to it tried out
RECOVERY = 8 * MINUTE
MOST_ANNOTATIONS = 256 * 1024  # bytes
PATH = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/fuji?"

Refusal = Callable[[ControlledWorld], Callable[[], object]]


def refusing(error: Callable[[Review], StatusError]) -> Refusal:
    """Each write of ours to `fuji` meets that."""

    def begin(world: ControlledWorld) -> Callable[[], object]:
        objects = world.world.api.objects

        def policy(review: Review) -> None:
            if review.manager == names.FIELD_MANAGER and review.name == "fuji":
                raise error(review)

        objects.policy = policy
        return lambda: setattr(objects, "policy", lambda _: None)

    return begin


def answered(action: object) -> Refusal:
    """Something before the API server."""

    def begin(world: ControlledWorld) -> Callable[[], object]:
        faults = world.world.api.faults
        rule = faults.add(action, method="PATCH", path=r"/deployments/fuji\?", count=None)
        return lambda: faults.remove(rule)

    return begin


def filled(world: ControlledWorld) -> Callable[[], object]:
    """Somebody's own annotation leaves no room."""
    held = world.metadata("fuji").get("annotations") or {}
    taken = sum(len(key) + len(value) for key, value in held.items()) + len("notes")
    spare = 0 if held else 100  # for those of Kubernetes itself
    text = "n" * (MOST_ANNOTATIONS - taken - spare)

    def write(value: str | None) -> None:
        def change(obj: Object) -> None:
            annotations = obj["metadata"].setdefault("annotations", {})
            annotations.pop("notes", None)
            if value is not None:
                annotations["notes"] = value

        world.world.change("fuji", change)

    write(text)
    return lambda: write(None)


def record_dropped(world: ControlledWorld) -> Callable[[], object]:
    """A mutating webhook that keeps what it does not know from being changed."""
    objects = world.world.api.objects
    known = (world.metadata("fuji").get("annotations") or {}).get(names.RECORD)

    def webhook(plural: str, obj: Object) -> None:
        if (plural, obj["metadata"].get("name")) == ("deployments", "fuji"):
            annotations = obj["metadata"].setdefault("annotations", {})
            annotations.pop(names.RECORD, None)
            if known is not None:
                annotations[names.RECORD] = known

    objects.webhook = webhook
    return lambda: setattr(objects, "webhook", lambda _plural, _obj: None)


REFUSALS = {
    "policy": (refusing(lambda review: denied_by_policy(review, "not on Fridays")), "on Fridays"),
    "webhook": (refusing(lambda _: denied_by_webhook("not this one")), "denied the request: not"),
    "404 of a webhook": (refusing(lambda _: denied_by_webhook("no", code=404)), "request: no"),
    "webhook down": (refusing(lambda _: webhook_down("no route to host")), "no route to host"),
    "too long": (filled, "Too long: may not be more than 262144 bytes"),
    "record dropped": (record_dropped, "a mutating webhook or policy of the cluster changes it"),
    "a proxy's page": (answered(Answer(502, b"<html>Bad Gateway</html>")), "Bad Gateway"),
    "no answer": (answered(Refuse()), "closed the connection"),
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with controlled_world(tmp_path) as found:
        yield found


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    """Log lines that people are to read."""
    said: list[str] = []
    sink = logger.add(
        lambda line: said.append(str(line)), level="WARNING", format="{message} {extra}"
    )
    yield said
    logger.remove(sink)


def start(world: ControlledWorld) -> str:
    """Starts a controller; returns where its readiness is told."""
    listen = f"127.0.0.1:{free_port()}"
    world.start(listen=listen)
    return f"http://{listen}/readyz"


async def readiness(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()


def writes(world: ControlledWorld) -> int:
    return sum(r.method == "PATCH" and r.path.startswith(PATH) for r in world.world.api.requests)


def refusals_told(world: ControlledWorld) -> list[str]:
    return [reason for reason, _ in world.events("fuji") if reason in ("WriteRefused", "Unsettled")]


@pytest.mark.parametrize("what", REFUSALS)
async def test_a_start_that_is_refused(
    what: str, world: ControlledWorld, warnings: list[str]
) -> None:
    """No write to a new Deployment is taken. In an hour: few tries, the server's sentence told once
    in log, Events and /readyz, and a sibling tests the build; and is all well soon after?
    """
    begin, sentence = REFUSALS[what]
    world.deploy("fuji")
    world.deploy("other")
    end = begin(world)
    url = start(world)
    await asyncio.sleep(HOUR)

    assert writes(world) < MOST
    assert refusals_told(world) == ["WriteRefused"]
    assert sentence in world.notes("fuji")
    assert sentence in await readiness(url)
    assert sum("fuji" in line and sentence in line for line in warnings) <= 2  # worker and notice
    assert world.outcomes("other") == ["Passed"]
    assert "somebody else was first" not in "\n".join(world.said)

    end()
    await world.until(lambda: "WriteRefusedEnded" in dict(world.events("fuji")), within=RECOVERY)
    assert world.phase("fuji") == "Idle"
    assert world.record("fuji") is not None
    assert "refused" not in await readiness(url)


@pytest.mark.parametrize("what", REFUSALS)
async def test_a_verdict_that_is_refused(
    what: str, world: ControlledWorld, warnings: list[str]
) -> None:
    """An open run's record cannot be written. In an hour: few tries, the sentence told once, no
    result that is not recorded; and is it recorded and told, once, soon after?
    """
    begin, sentence = REFUSALS[what]
    world.deploy("fuji")
    url = start(world)
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    end = begin(world)
    before = writes(world)
    await asyncio.sleep(HOUR)

    assert writes(world) - before < MOST
    assert refusals_told(world) == ["WriteRefused"]
    assert sentence in world.notes("fuji")
    assert sentence in await readiness(url)
    assert sum("fuji" in line and sentence in line for line in warnings) <= 2
    assert "Soaked" not in dict(world.events("fuji"))

    end()
    await world.until(lambda: world.outcomes("fuji") == ["Passed"], within=RECOVERY + 20 * MINUTE)
    await world.until(lambda: "WriteRefusedEnded" in dict(world.events("fuji")), within=MINUTE)
    await world.until(lambda: "Soaked" in dict(world.events("fuji")), within=MINUTE)
    assert [reason for reason, _ in world.events("fuji")].count("Soaked") == 1


def refuse_pins(world: ControlledWorld, *, dry_runs: bool) -> Callable[[], object]:
    """A policy of images, which has nothing against records. dry_runs: it says what it would do."""
    objects = world.world.api.objects

    def image(obj: Object) -> object:
        return obj["spec"]["template"]["spec"]["containers"][0]["image"]

    def policy(review: Review) -> None:
        if review.old is None or review.resource.plural != "deployments" or review.name != "fuji":
            return
        if review.dry_run and not dry_runs:
            raise no_dry_run()
        if image(review.new) != image(review.old):
            raise denied_by_webhook("images come from registry.example alone")

    objects.policy = policy
    return lambda: setattr(objects, "policy", lambda _: None)


@pytest.mark.parametrize("dry_runs", [True, False])
async def test_a_pin_that_is_refused(world: ControlledWorld, dry_runs: bool) -> None:
    """The record can be written, and the image cannot: is the Deployment Blocked, with what the
    server said, told once in an hour; and does it start by itself when the policy is gone?
    """
    world.deploy("fuji")
    end = refuse_pins(world, dry_runs=dry_runs)
    url = start(world)
    await asyncio.sleep(HOUR)

    # Where nothing can be tried out, each try is a claim, a pin, and the record that gives it back.
    assert writes(world) < (MOST if dry_runs else 1.5 * MOST)
    assert world.phase("fuji") == "Blocked"
    assert "its pin is refused" in world.message("fuji")
    assert "images come from registry.example alone" in world.message("fuji")
    assert "images come from registry.example alone" in await readiness(url)
    assert refusals_told(world) == ["WriteRefused"]

    end()
    await world.until(lambda: world.phase("fuji") == "Starting", within=RECOVERY)
    await world.passes("fuji")
    assert "refused" not in await readiness(url)


@pytest.mark.parametrize("dry_runs", [True, False])
async def test_a_sibling_tests_what_cannot_be_pinned(
    world: ControlledWorld, dry_runs: bool
) -> None:
    """Is the claim of a run that cannot be pinned not taken, or given back, so that another
    Deployment of the target tests the build at once; and never both of them?
    """
    world.deploy("fuji")
    end = refuse_pins(world, dry_runs=dry_runs)
    start(world)
    await world.until(lambda: world.phase("fuji") == "Blocked", within=5 * MINUTE)
    world.deploy("other")
    await world.until(lambda: world.phase("other") == "Starting", within=2 * MINUTE)
    end()
    await world.passes("other")
    await world.until(lambda: world.phase("fuji") == "Idle", within=RECOVERY)
    assert world.outcomes("fuji") == []


def strip_label(obj: Object) -> None:
    (obj["metadata"].get("labels") or {}).pop(names.PHASE, None)


def cut_message(obj: Object) -> None:
    annotations = obj["metadata"].get("annotations") or {}
    if names.MESSAGE in annotations:
        annotations[names.MESSAGE] = annotations[names.MESSAGE][:10]


@pytest.mark.parametrize("changes", [strip_label, cut_message])
async def test_words_that_are_changed_on_the_way(
    changes: Callable[[Object], None], world: ControlledWorld
) -> None:
    """A mutating webhook takes our label off, or cuts our message: is each result told all the
    same, the cause told once, and the label seldom written?
    """

    def webhook(plural: str, obj: Object) -> None:
        if plural == "deployments":
            changes(obj)

    world.world.api.objects.webhook = webhook
    world.deploy("fuji")
    start(world)
    await world.until(lambda: "Soaked" in dict(world.events("fuji")), within=HOUR)
    told = [reason for reason, _ in world.events("fuji")]
    assert [told.count(r) for r in ("NewBuild", "NodeStarted", "Bootstrapped", "Soaked")] == [1] * 4
    before = writes(world)
    await asyncio.sleep(HOUR)
    assert writes(world) - before < MOST / 2
    assert [reason for reason, _ in world.events("fuji")].count("WriteChanged") == 1

    world.world.api.objects.webhook = lambda _plural, _obj: None
    await world.until(lambda: "WriteChangedEnded" in dict(world.events("fuji")), within=RECOVERY)
    assert world.phase("fuji") == "Idle"
    assert "passed" in world.message("fuji")


async def test_a_label_that_another_hand_takes_off(world: ControlledWorld) -> None:
    """A program takes our label off whenever it is there: is a failure told all the same, and the
    label seldom written?
    """

    def undo(change: Change) -> None:
        labels = change.object["metadata"].get("labels") or {}
        if change.plural == "deployments" and names.PHASE in labels:
            world.world.change("fuji", strip_label)

    crashing = SimulatedBuild("1.14.1", "b2" * 20, Plan(crash_after=5.0))
    world.world.push(REPOSITORY, "latest", crashing)
    world.deploy("fuji")
    end = world.world.api.storage.subscribe(undo)
    start(world)
    await world.until(lambda: world.outcomes("fuji") == ["Failed"])
    await world.until(lambda: "BadBlock" in dict(world.events("fuji")), within=MINUTE)
    before = writes(world)
    await asyncio.sleep(HOUR)
    assert writes(world) - before < MOST / 2
    end()
    await world.until(lambda: world.phase("fuji") == "Held", within=RECOVERY)


async def test_decisions_that_do_not_settle(world: ControlledWorld, warnings: list[str]) -> None:
    """A webhook asks for something else with each write of ours: is that told once, and the
    Deployment left alone for a while each time; and does it start when the webhook is gone?
    """
    count = 0

    def webhook(plural: str, obj: Object) -> None:
        nonlocal count
        annotations = obj["metadata"].get("annotations") or {}
        if plural == "deployments" and names.RECORD in annotations:
            count += 1
            annotations[names.RETEST] = str(count)

    world.world.api.objects.webhook = webhook
    world.deploy("fuji")
    start(world)
    await asyncio.sleep(HOUR)
    assert writes(world) < 100
    assert refusals_told(world) == ["Unsettled"]
    assert sum("is undone at once" in line for line in warnings) <= 2
    world.world.api.objects.webhook = lambda _plural, _obj: None
    await world.passes("fuji")
