"""A table of kubeconfigs, each run through kubectl and through us: same server, same identity."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from controller.base.clock import SystemClock
from controller.base.errors import BootstrapError
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import Operation
from controller.kube.login.pod_or_kubeconfig import load_credentials
from tests.kube_samples.certificates import ClusterFiles, cluster_files
from tests.kubeconfigs import ROWS
from tests.kubeconfigs.row import Asked, Row, config, plugin, program
from tests.kubeconfigs.stage import Stage, listening

KUBECTL = shutil.which("kubectl")
VERSION = Call(Operation("get", "version"), "GET", "/version")


# No file can be kept from root: that row is asked of whoever runs the tests as somebody else.
SHOWN = [row for row in ROWS if row.as_root or os.geteuid() != 0]


def of_rows(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ClusterFiles:
    return cluster_files(tmp_path_factory.mktemp("cluster"))


@pytest.fixture
async def stage(tmp_path: Path, files: ClusterFiles) -> AsyncIterator[Stage]:
    async with listening(tmp_path, files) as stage:
        yield stage


async def ask(stage: Stage, row: Row) -> None:
    """As a command does: by the flag, or else the variable."""
    environ, clock = stage.lay(row), SystemClock()
    given = stage.flag(row, "kubeconfig") or environ.get("KUBECONFIG") or None
    credentials = await load_credentials(given, stage.flag(row, "context"), environ, clock)
    async with KubeClient(credentials, clock) as client:
        await client.fetch(VERSION)


async def kubectl(stage: Stage, row: Row) -> tuple[int, str]:
    """Its exit code, and what it says."""
    assert KUBECTL is not None
    process = await asyncio.create_subprocess_exec(
        KUBECTL,
        *(stage.filled(flag) for flag in row.flags),
        "version",
        env=stage.lay(row),
        cwd=stage.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return await process.wait(), said.decode()


@of_rows([row for row in SHOWN if isinstance(row.leads, Asked)])
async def test_we_go_where_the_table_says(
    stage: Stage, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is the server asked that kubectl asks, by the same name?"""
    monkeypatch.chdir(stage.folder)
    await ask(stage, row)
    assert stage.asked == [row.leads]


@of_rows([row for row in SHOWN if isinstance(row.leads, str)])
async def test_we_refuse_in_a_sentence(stage: Stage, row: Row) -> None:
    """Is what kubectl refuses refused, and nobody asked? No secret is shown."""
    with pytest.raises(BootstrapError) as caught:
        await ask(stage, row)
    assert str(row.leads) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert stage.asked == []


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
@of_rows(SHOWN)
async def test_kubectl_goes_where_the_table_says(stage: Stage, row: Row) -> None:
    """Is the table the truth, for the kubectl of this machine?"""
    code, said = await kubectl(stage, row)
    if isinstance(row.leads, Asked):
        assert code == 0, said
        assert set(stage.asked) == {row.leads}
    elif not row.kubectl_goes:
        assert code != 0, said


INFORMED = {
    "nothing of the cluster": ({}, {"provideClusterInfo": False}),
    "the cluster": ({}, {"provideClusterInfo": True}),
    "all of it": (
        {
            "certificate-authority": "",
            "certificate-authority-data": "@CA64@",
            "tls-server-name": "api.example",
            "disable-compression": True,
            "extensions": [
                {"name": "other", "extension": {"a": 1}},
                {
                    "name": "client.authentication.k8s.io/exec",
                    "extension": {"audience": "z", "deep": {"list": [1, True, None]}},
                },
            ],
        },
        {"provideClusterInfo": True, "args": ["get", "-v"], "env": [{"name": "WHO", "value": "w"}]},
    ),
    "a cluster that is not verified": (
        {"certificate-authority": "", "insecure-skip-tls-verify": True},
        {"provideClusterInfo": True},
    ),
}


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
@pytest.mark.parametrize(("cluster", "changed"), INFORMED.values(), ids=INFORMED)
async def test_a_plugin_is_told_what_kubectl_tells_it(
    stage: Stage, cluster: dict[str, Any], changed: dict[str, Any]
) -> None:
    """Is KUBERNETES_EXEC_INFO the same, with arguments and environment?"""
    script = (
        f'#!/bin/sh\nprintf \'%s\\n%s %s\' "$KUBERNETES_EXEC_INFO" "$*" "$WHO" > \'@DIR@/told\'\n'
        f"{program().partition(chr(10))[2]}"
    )
    row = Row("", {"a": config(plugin(**changed), cluster), "plugin": script}, "")
    told = stage.folder / "told"

    await ask(stage, row)
    ours = told.read_text().splitlines()
    told.unlink()
    code, said = await kubectl(stage, row)
    assert code == 0, said
    theirs = told.read_text().splitlines()
    assert json.loads(ours[0]) == json.loads(theirs[0])
    assert ours[-1] == theirs[-1]
