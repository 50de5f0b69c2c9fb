"""Looking without waiting: what a Deployment, its Service and the store's claims make of it."""

from dataclasses import replace

import pytest

from controller.base.errors import TargetFault
from controller.domain.build import Resolution
from controller.domain.decide.observation import Choice, ClaimSeen, Observation
from controller.domain.decide.observing import contested, needs_claims, observed, with_claims
from controller.domain.record.record import Record
from tests.fakes import EPOCH
from tests.machine_objects import RULES, build, deployment, service, with_images
from tests.machine_world import World, observation

TARGET = "fuji-c-chain-state-sync"
KNOWN = Choice("latest", "tag", Resolution(build("f"), build("a")))
UNKNOWN = Choice("v2", "test-build")


def claim(run: str) -> ClaimSeen:
    return ClaimSeen(TARGET, build("a"), run, "bootstrap/fuji")


def passed() -> Record:
    world = World()
    key = world.add(deployment())
    world.pass_run(key)
    return world.record(key)


def test_faults_stand_where_their_values_would() -> None:
    """Are manifest, record and Service each told of, and none of them raised?"""
    o = observed(deployment(strategy="RollingUpdate", record="{"), None, RULES, EPOCH)
    faults = (o.request, o.record, o.port)
    assert all(isinstance(fault, TargetFault) for fault in faults)
    assert o.record_text == "{"


def test_a_sound_deployment_is_seen_whole() -> None:
    """Is everything there that the manifest and the Service tell?"""
    o = observed(deployment(), service(), RULES, EPOCH)
    assert not isinstance(o.request, TargetFault)
    assert (str(o.request.target), o.port, o.record) == (TARGET, 9650, None)


def test_a_pin_that_lost_its_tag_is_no_fault_while_its_run_is_open() -> None:
    """Does the run's own pin say which tag is followed where a webhook leaves only the digest?"""
    world = World()
    key = world.add(deployment())
    world.start_run(key)
    for digest, fault in ((build("a"), None), (build("b"), "NoTag")):
        world.change(key, with_images(world.deployments[key], f"mirror.example/node@{digest}"))
        request = world.observe(key).request
        assert (request.reason if isinstance(request, TargetFault) else None) == fault
    world.change(key, with_images(world.deployments[key], f"mirror.example/node@{build('a')}"))
    world.bootstrap(key)
    world.finish(key)
    assert world.record(key).outcomes[-1].phase == "Passed"


def test_claims_are_needed_where_a_run_may_be_started() -> None:
    """Is the store asked without a record and between runs, and not for an open run or a fault?"""
    world = World()
    key = world.add(deployment())
    assert needs_claims(world.observe(key))
    world.start_run(key)
    assert not needs_claims(world.observe(key))
    world.pass_run(key)
    assert needs_claims(world.observe(key))
    assert not needs_claims(observation(deployment(record="{")))


def test_only_what_is_resolved_is_contested() -> None:
    """Is nobody asked for the claim of a build that is not known, or on a target that is not?"""
    choices = (UNKNOWN, KNOWN)
    assert contested(observation(deployment(), choices=choices)) == [(TARGET, build("a"))]
    broken = deployment(strategy="RollingUpdate")
    assert contested(observation(broken, choices=choices)) == []


def test_each_choice_is_given_the_claim_of_its_build() -> None:
    """Does a choice that is unknown have none, and one that nobody has claimed neither?"""
    free = Choice("v3", "tag", Resolution(build("f"), build("b")))
    o = observation(deployment(), choices=(UNKNOWN, KNOWN, free))
    o = with_claims(o, None, {build("a"): claim("run-1")})
    assert [c.claim for c in o.choices] == [None, claim("run-1"), None]


@pytest.mark.parametrize(("later", "waits"), [(True, True), (False, False)])
def test_a_claim_waits_until_its_run_has_come_to_be(later: bool, waits: bool) -> None:
    """Is a claim pending that is newer than the record's last run, and no other?"""
    record = passed()
    pending = claim(record.last_run + "0" if later else record.last_run)
    o: Observation = replace(observation(deployment()), record=record)
    assert (with_claims(o, pending, {}).pending is not None) is waits


def test_without_a_record_every_claim_waits() -> None:
    """Is the claim of a Deployment that lost its record not taken for one that is over?"""
    o = observation(deployment())
    assert with_claims(o, claim("run-1"), {}).pending == claim("run-1")
