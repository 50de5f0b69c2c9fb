"""A table of kubeconfigs, each run through kubectl and through us: same server, same identity."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.base.clock import SystemClock
from controller.base.errors import BootstrapError
from controller.kube.api.call import Call
from controller.kube.api.client import KubeClient
from controller.kube.api.resources import Operation
from controller.kube.login.pod_or_kubeconfig import load_credentials
from tests.kube_samples.certificates import ClusterFiles, cluster_files
from tests.kubeconfigs import ROWS
from tests.kubeconfigs.row import Asked, Row
from tests.kubeconfigs.stage import Stage, listening

KUBECTL = shutil.which("kubectl")
VERSION = Call(Operation("get", "version"), "GET", "/version")


def of_rows(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ClusterFiles:
    return cluster_files(tmp_path_factory.mktemp("cluster"))


@pytest.fixture
async def stage(tmp_path: Path, files: ClusterFiles) -> AsyncIterator[Stage]:
    async with listening(tmp_path, files) as stage:
        yield stage


def skip_where_nothing_is_shown(row: Row) -> None:
    if not row.as_root and os.geteuid() == 0:
        pytest.skip("root may read every file")


async def ask(stage: Stage, row: Row) -> None:
    """As a command does: by the flag, or else the variable."""
    environ, clock = stage.lay(row), SystemClock()
    given = stage.flag(row, "kubeconfig") or environ.get("KUBECONFIG") or None
    credentials = await load_credentials(given, stage.flag(row, "context"), environ, clock)
    async with KubeClient(credentials, clock) as client:
        await client.fetch(VERSION)


@of_rows([row for row in ROWS if isinstance(row.leads, Asked)])
async def test_we_go_where_the_table_says(
    stage: Stage, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is the server asked that kubectl asks, by the same name?"""
    monkeypatch.chdir(stage.folder)
    await ask(stage, row)
    assert stage.asked == [row.leads]


@of_rows([row for row in ROWS if isinstance(row.leads, str)])
async def test_we_refuse_in_a_sentence(stage: Stage, row: Row) -> None:
    """Is what kubectl refuses refused, and nobody asked? No secret is shown."""
    skip_where_nothing_is_shown(row)
    with pytest.raises(BootstrapError) as caught:
        await ask(stage, row)
    assert str(row.leads) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert stage.asked == []


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
@of_rows(ROWS)
async def test_kubectl_goes_where_the_table_says(stage: Stage, row: Row) -> None:
    """Is the table the truth, for the kubectl of this machine?"""
    skip_where_nothing_is_shown(row)
    environ = stage.lay(row)
    assert KUBECTL is not None
    process = await asyncio.create_subprocess_exec(
        KUBECTL,
        *(stage.filled(flag) for flag in row.flags),
        "version",
        env=environ,
        cwd=stage.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if isinstance(row.leads, Asked):
        assert process.returncode == 0, said.decode()
        assert set(stage.asked) == {row.leads}
    elif not row.kubectl_goes:
        assert process.returncode != 0, said.decode()
