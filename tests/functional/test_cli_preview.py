"""`preview`: what would be made of a Deployment, before it has the label."""

from pathlib import Path

import orjson
import pytest
import yaml

from controller.domain import names
from controller.simulator.apiserver.resources import Object
from controller.simulator.manifests import TargetManifest
from tests.commands import command
from tests.controlled_world import ControlledWorld

pytestmark = pytest.mark.jumping


def unlabelled(deployment: Object) -> None:
    deployment["metadata"]["labels"].pop(names.TEST)
    deployment["spec"]["template"]["metadata"]["labels"].pop(names.TEST, None)


def in_file(folder: Path, *objects: Object) -> str:
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump_all(objects))
    return str(path)


async def test_a_file_that_is_not_labelled_yet(tmp_path: Path) -> None:
    """Does it tell target, tag, pins, times, and where the label is missing, without a cluster?"""
    target = TargetManifest("fuji", annotations={names.SOAK: "5m"})
    deployment, service = target.deployment(), target.service()
    unlabelled(deployment)
    service["metadata"]["labels"].pop(names.TEST)
    done = await command("preview", "-f", in_file(tmp_path, service, deployment))
    assert (done.code, done.err) == (0, "")
    for words in (
        "bootstrap/fuji",
        "it would be tested by the controller, if it had the label",
        f'{names.TEST}: "true" is missing in metadata.labels of the Deployment',
        "is missing in spec.template.metadata.labels of the Deployment",
        "is missing in metadata.labels of its Service",
        "fuji-c-chain-state-sync: network fuji, mode c-chain-state-sync",
        "follows tag latest of docker.io/avaplatform/avalanchego",
        "the image of containers 'node'",
        "the image of initContainers 'prepare-data'",
        "passes after 5m of observed health",
        "port 9650 of the pod",
    ):
        assert words in done.out, words


async def test_faults_in_a_file(tmp_path: Path) -> None:
    """Is each fault told with what to write, of manifest and Service, with exit code 1?"""
    deployment = TargetManifest("fuji", strategy="RollingUpdate").deployment()
    done = await command("preview", "-f", in_file(tmp_path, deployment), "-o", "json")
    assert done.code == 1
    [found] = done.json()
    assert [each["reason"] for each in found["faults"]] == ["NotRecreate", "NoService"]
    assert "write strategy: {type: Recreate}" in found["faults"][0]["message"]
    assert (found["would_be_tested"], found["target"]) == (False, None)


async def test_json_and_lists_are_read_too(tmp_path: Path) -> None:
    """Is what `kubectl get -o json` prints read as well, and every Deployment of it told?"""
    targets = TargetManifest("fuji"), TargetManifest("mainnet", network="mainnet")
    items = [each for t in targets for each in (t.deployment(), t.service())]
    path = tmp_path / "list.json"
    path.write_bytes(orjson.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    done = await command("preview", "-f", str(path), "-o", "json")
    assert done.code == 0
    found = [(each["deployment"], each["network"], each["port"]) for each in done.json()]
    assert found == [("bootstrap/fuji", "fuji", 9650), ("bootstrap/mainnet", "mainnet", 9650)]


async def test_a_deployment_of_the_cluster(world: ControlledWorld) -> None:
    """Is one found by its name, labelled or not, and nothing written to it?"""
    world.deploy("fuji", unlabelled)
    before = world.metadata("fuji")["generation"]
    done = await command("preview", "fuji", "--kubeconfig", str(world.kubeconfig))
    assert done.code == 0
    assert "if it had the label" in done.out
    assert world.metadata("fuji")["generation"] == before
    done = await command("preview", "other", "--kubeconfig", str(world.kubeconfig))
    assert (done.code, done.out) == (3, "")
    assert "there is no Deployment 'other' here" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is neither YAML nor JSON"),
        ("kind: Service\n", "has no Deployment"),
        ("", "has no Deployment"),
        ("kind: Deployment\nspec: 7\n", "cannot be read"),
        ("kind: Deployment\nmetadata: {name: !!binary aGk=}\n", "cannot be read"),
    ],
)
async def test_files_of_no_use(tmp_path: Path, text: str, said: str) -> None:
    """Does each get one sentence and exit code 2?"""
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    done = await command("preview", "-f", str(path))
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) <= 5


async def test_neither_name_nor_file(tmp_path: Path) -> None:
    """Is one of the two asked for, and is a file that is not there one sentence?"""
    done = await command("preview")
    assert done.code == 2
    assert "one of the two" in done.err
    done = await command("preview", "-f", str(tmp_path / "none"))
    assert done.code == 2
    assert "cannot be read: No such file" in done.err
