"""The monitor's rights at work: with the Role that its component ships it does all that it has to,
and asks for nothing else; without one of them it says which.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.kube.rights import PLACING, WITNESSING, Right, leasing_one, reading_one, writing_one
from controller.simulator.apiserver.auth import ADMIN, Access, Gate
from controller.simulator.apiserver.resources import RESOURCES, Object, Resource
from controller.simulator.apiserver.roles import account_user, bound_rules, role_rights
from controller.simulator.apiserver.storage import copied
from controller.simulator.world import NAMESPACE, PERSON
from tests.kustomize import build
from tests.monitored_targets import FUJI, monitored
from tests.monitored_world import MonitoredWorld, Monitors, monitored_world

pytestmark = pytest.mark.jumping

NAME = f"bootstrap-{FUJI}"
NEEDED = (*reading_one(NAME), *writing_one(NAME), *leasing_one(NAME))
PLURALS = {resource.kind: resource.plural for resource in reversed(RESOURCES)}
OPTIONAL = {*WITNESSING, *PLACING}


class RoleGate(Gate):
    """The gate of monitors whose accounts may do what these objects grant; a person may do all.

    asked: by requests of monitors, and not by questions about their rights. refused: of these, what
    is not optional.
    """

    def __init__(self, monitors: Monitors, objects: tuple[Object, ...]) -> None:
        super().__init__(rights=self._grants)
        self.asked: set[Right] = set()
        self._granted = role_rights(bound_rules(objects))
        self._monitors = monitors
        monitors.rights = self._grants

    def _grants(self, access: Access) -> bool:
        if access.user == ADMIN or access.resource == "selfsubjectaccessreviews":
            return True
        account = access.user.rpartition("-")[0]  # of the token of one life
        return self._granted(replace(access, user=account_user(NAMESPACE, account)))

    def user(self, authorization: str) -> str:
        return self._monitors.user(authorization)

    def check(self, access: Access, resource: Resource | None) -> None:
        if access.user != ADMIN and access.resource != "selfsubjectaccessreviews":
            right = Right(access.verb, access.group, *access.resource.split("/"))
            if right not in OPTIONAL and replace(right, name="") not in OPTIONAL:
                self.asked.add(replace(right, name=access.name))
        self._monitors.check(access, resource)


def without(right: Right) -> tuple[Object, ...]:
    """The built overlay, with one verb less."""
    objects = tuple(map(copied, monitored()))
    (role,) = (o for o in objects if o["kind"] == "Role")
    for rule in role["rules"]:
        if (rule["apiGroups"], rule["resources"]) == ([right.group], [right.resource]):
            rule["verbs"].remove(right.verb)
    return objects


def apply(world: MonitoredWorld, objects: tuple[Object, ...]) -> RoleGate:
    gate = world.world.api.served.gate = RoleGate(world.monitors, objects)
    for o in map(copied, (*build(f"targets/volumes/{FUJI}"), *objects)):
        if o["kind"] in PLURALS:
            world.world.api.objects.create(PLURALS[o["kind"]], o, PERSON)
    return gate


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[MonitoredWorld]:
    async with monitored_world(tmp_path) as made:
        yield made


async def test_its_role_is_enough_and_no_more(world: MonitoredWorld) -> None:
    """Does the built overlay pass a build with nothing refused, and is every right that it ships
    used, by its name where it has one?
    """
    gate = apply(world, monitored())
    await world.passes(NAME)
    await world.until(lambda: "Soaked" in world.reasons(NAME))
    assert world.monitors.refused == []
    named = {right.resource for right in NEEDED if right.name}
    asked = {r if r.resource in named else replace(r, name="") for r in gate.asked}
    assert asked == set(NEEDED)


@pytest.mark.parametrize("right", NEEDED, ids=lambda r: f"{r.verb} {r.resource}")
async def test_a_right_that_is_missing_is_named(right: Right, world: MonitoredWorld) -> None:
    """With any one verb taken away, is it refused, nothing else is, and does the log say which?"""
    apply(world, without(right))
    what = str(replace(right, name="").operation(NAMESPACE)).partition(" in namespace ")[0]
    await world.until(lambda: world.monitors.refused)
    await world.until(lambda: [line for line in world.said if f"not allowed to {what} " in line])
    assert {(a.verb, a.resource) for a in world.monitors.refused} == {(right.verb, right.resource)}


async def test_without_its_lease_it_says_what_it_lacks(world: MonitoredWorld) -> None:
    """Does it name the right to make one, as where Argo CD has left the Lease out?"""
    apply(world, tuple(o for o in monitored() if o["kind"] != "Lease"))
    what = "not allowed to create leases.coordination.k8s.io"
    await world.until(lambda: [line for line in world.said if what in line])
    assert world.phase(NAME) == ""


async def test_it_makes_its_lease_where_it_may(world: MonitoredWorld) -> None:
    """Is the optional component all that it takes then?"""
    objects = monitored(FUJI, "monitor-creates-lease")
    apply(world, tuple(o for o in objects if o["kind"] != "Lease"))
    await world.until(lambda: world.phase(NAME) == "Starting")
    assert world.world.api.storage.peek("leases", NAMESPACE, NAME) is not None
    assert world.monitors.refused == []
