"""Notices as Kubernetes Events, rights as sentences, and who owns a field."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.manifest.field_owners import image_manager
from controller.domain.notice import Level, Notice
from controller.domain.run import Phase
from controller.kube.event_of_notice import event_name, event_of
from controller.kube.rights import LEASING, PROXYING, READING
from tests.kube_samples.objects import as_deployment, deployment, recorded_managers, recording

NOTICE = Notice(
    id="20261123t060000z-1a2b3c4d-3",
    at=datetime(2026, 11, 23, 6, 0, 0, 5, tzinfo=UTC),
    level=Level.ERROR,
    title="fuji failed",
    text="é" * 2000,
    reason="CrashLoop",
    deployment="bootstrap/fuji",
    uid="u-1",
    phase_before=Phase.BOOTSTRAPPING,
    phase=Phase.FAILED,
)


def test_an_event_has_the_fields_of_a_recorded_one() -> None:
    """What a real API server took is what we send."""
    said = recording("47")["request"]["body"]
    ours = event_of(NOTICE, "controller-0")

    assert set(said) == set(ours)
    assert ours["regarding"] == {
        "apiVersion": "apps/v1", "kind": "Deployment", "name": "fuji", "namespace": "bootstrap",
        "uid": "u-1",
    }  # fmt: skip
    assert ours["eventTime"] == "2026-11-23T06:00:00.000005Z"
    assert (ours["type"], ours["reason"]) == ("Warning", "CrashLoop")


def test_a_long_note_is_cut_to_what_the_server_takes() -> None:
    """1024 bytes, and no half character."""
    note = event_of(NOTICE, "controller-0")["note"]

    assert len(note.encode()) <= 1024
    assert note.startswith("fuji failed: é")


@given(st.text(), st.text())
def test_any_id_gives_a_valid_name_and_different_ids_different_names(one: str, two: str) -> None:
    """The name is what makes a second telling no second Event."""
    name = event_name(one)

    assert 0 < len(name) <= 253
    assert all(part.strip("-") == part and part for part in name.split("."))
    assert name.replace("-", "").replace(".", "").isascii()
    if one.lower() != two.lower():
        assert name != event_name(two)


def test_a_notice_id_is_the_name_as_it_stands() -> None:
    """So that a person finds the Event by the id in a log."""
    assert event_name("20261123T060000z-1A2b.3") == "20261123t060000z-1a2b.3"


def test_rights_are_named_as_a_role_names_them() -> None:
    """The sentence tells a person what to add to the Role."""
    said = [str(right.operation("bootstrap")) for right in (READING[0], LEASING[2], PROXYING[0])]

    assert said == [
        "list deployments.apps in namespace bootstrap",
        "update leases.coordination.k8s.io in namespace bootstrap",
        "get pods/proxy in namespace bootstrap",
    ]


def test_the_owner_of_a_pinned_image_is_us() -> None:
    """As a real API server recorded it in managedFields."""
    found = as_deployment(deployment(managedFields=recorded_managers()))

    assert image_manager(found, "node") == "bootstrap-controller"
    assert image_manager(found, "prepare-data", init=True) == "bootstrap-controller"
    assert image_manager(found, "log-shipper") == "recorder"
    assert image_manager(found, "nobody") is None


def entry(manager: str, time: str, fields: object) -> dict[str, object]:
    return {"manager": manager, "time": time, "operation": "Apply", "fieldsV1": fields}


def test_of_several_owners_the_last_is_named() -> None:
    """Who wrote last is who took the pin back; garbage among the fields is no obstacle."""
    image: dict[str, object] = {"f:spec": {"f:template": {"f:spec": {"f:containers": {
        'k:{"name":"node"}': {"f:image": {}}, "k:broken": {}, ".": {}}}}}}  # fmt: skip
    found = as_deployment(
        deployment(
            managedFields=[
                entry("argocd-controller", "2026-11-23T07:00:00Z", image),
                entry("kubectl", "2026-11-23T06:00:00Z", image),
                entry("odd", "2026-11-23T08:00:00Z", {"f:spec": "x"}),
                {"manager": "bare"},
            ]
        )
    )

    assert image_manager(found, "node") == "argocd-controller"


@pytest.mark.parametrize("fields", [None, [], {"f:spec": {"f:template": None}}])
def test_fields_of_odd_shapes_have_no_owner(fields: object) -> None:
    """Nothing that a server writes there may stop a decision."""
    found = as_deployment(deployment(managedFields=[entry("x", "2026-11-23T06:00:00Z", fields)]))

    assert image_manager(found, "node") is None
