"""What the simulated API server says of sidecars and of a target that has a monitor."""

from random import Random
from typing import Any

import pytest

from controller.simulator.apiserver.objects import Write
from controller.simulator.apiserver.server import SimulatedApiServer
from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.manifests import MONITOR, TargetManifest
from tests.fakes import FakeClock

PLACE = "spec.template.spec.initContainers[0]"
PROBE = {"httpGet": {"port": 8080}}
WHY = "Forbidden: may not be set for init containers without restartPolicy=Always"


@pytest.fixture
async def server() -> SimulatedApiServer:
    return SimulatedApiServer(FakeClock(), Random(1))


def create(server: SimulatedApiServer, **fields: Any) -> Any:
    """`fuji` with these fields in its first init container, which is the monitor."""
    deployment = TargetManifest("fuji", monitor=True).deployment()
    first = deployment["spec"]["template"]["spec"]["initContainers"][0]
    first |= fields
    return server.objects.create("deployments", deployment, Write("kubectl"))


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        (
            {"restartPolicy": "Sometimes"},
            "restartPolicy",
            'Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
        ),
        ({"restartPolicy": "Never", "lifecycle": {"preStop": {}}}, "lifecycle", WHY),
        ({"restartPolicy": None, "startupProbe": PROBE}, "startupProbe", WHY),
        ({"restartPolicy": None, "readinessProbe": PROBE}, "readinessProbe", WHY),
        ({"restartPolicy": "OnFailure", "livenessProbe": PROBE}, "livenessProbe", WHY),
    ],
)
async def test_what_is_refused(
    server: SimulatedApiServer, fields: dict[str, Any], field: str, message: str
) -> None:
    """Is the fault named, with the path of its field?"""
    with pytest.raises(StatusError) as refused:
        create(server, **fields)
    causes = refused.value.body["details"]["causes"]
    assert refused.value.code == 422
    assert {"field": f"{PLACE}.{field}", "message": message} in [
        {k: cause[k] for k in ("field", "message")} for cause in causes
    ]


async def test_a_sidecar_may_have_probes(server: SimulatedApiServer) -> None:
    """Is it taken with probes and lifecycle, and are the probes' defaults filled in?"""
    made = create(server, livenessProbe={**PROBE}, lifecycle={"preStop": {}})
    found = made["spec"]["template"]["spec"]["initContainers"][0]
    assert (found["name"], found["restartPolicy"]) == (MONITOR, "Always")
    assert found["livenessProbe"]["periodSeconds"] == 10


def test_only_the_monitor_has_the_token() -> None:
    """Is the token mounted into that container alone, of the target's own account?"""
    spec = TargetManifest("fuji", monitor=True).deployment()["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == "fuji"
    assert spec["automountServiceAccountToken"] is False
    mounted = [
        container["name"]
        for container in (*spec["initContainers"], *spec["containers"])
        if any(mount["name"] == "monitor-token" for mount in container["volumeMounts"])
    ]
    assert mounted == [MONITOR]
