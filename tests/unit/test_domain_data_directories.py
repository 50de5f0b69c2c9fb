"""Where a node's data lies: in the run's own directory, or the target is Blocked."""

import pytest
from msgspec.structs import replace as with_fields

from controller.base.errors import TargetFault
from controller.domain.manifest.data_directories import check_data_directories
from controller.domain.objects import Container, EnvVar
from tests.machine_objects import bare, node_container, variables

NODE = "/avalanchego/build/avalanchego"
OWN = "/data/runs/$(RUN_ID)"
FROM_ELSEWHERE = EnvVar(name="SHARED", value_from={"configMapKeyRef": {"name": "settings"}})


def container(*words: str, env: list[EnvVar] | None = None) -> Container:
    """With all that the contract asks for. words: the node's flags, behind its program."""
    return node_container(bare(), command=[NODE], args=list(words), env=env or [])


def script(text: str) -> Container:
    return node_container(bare(), command=["/bin/bash", "-c", text])


def reason(tested: Container) -> str:
    """Of the fault; empty where there is none."""
    try:
        check_data_directories(tested)
    except TargetFault as fault:
        return fault.reason
    return ""


@pytest.mark.parametrize(
    "tested",
    [
        container(),
        container(env=variables(AVAGO_DATA_DIR="/data/runs/$(RUN_ID)/node")),
        container(env=variables(AVAGO_DB_DIR=f"{OWN}/db", AVAGO_CHAIN_DATA_DIR=f"{OWN}/chains")),
        container(env=variables(AVAGO_DB_DIR="", AVAGO_DB_TYPE="pebbledb")),
        container(env=variables(AVAGO_DB_DIR="$(AVAGO_DATA_DIR)/db")),
        container(env=variables(AVAGO_DB_DIR="$AVALANCHEGO_DATA_DIR/db")),  # avalanchego's own
        container(env=variables(AVAGO_DB_DIR="/data/runs/$RUN_ID/db")),  # as it puts in any
        container(env=variables(AVAGO_DB_DIR="/data/runs/${RUN_ID}/db")),
        container(f"--data-dir={OWN}"),
        container("--db-dir", f"{OWN}/db", "--chain-data-dir", f"{OWN}/chains"),
        container(f"--db-dir={OWN}/db", env=variables(AVAGO_DB_DIR="/elsewhere")),  # a flag wins
        container(env=variables(AVAGO_PLUGIN_DIR="/plugins", AVAGO_LOG_DIR="/var/log/node")),
        container(env=variables(AVAGO_DB_READ_ONLY="false")),
        script(f"exec {NODE} --data-dir=/data/runs/$RUN_ID"),
        script(f'exec {NODE} --data-dir="/data/runs/${{RUN_ID}}/x"'),
        script(f"export AVAGO_DB_DIR=/data/runs/$RUN_ID/db; exec {NODE}"),
        script(f"D=/data/runs/$(RUN_ID); exec {NODE} --db-dir=$D/db"),
    ],
)
def test_what_is_the_runs_own_is_fine(tested: Container) -> None:
    """Is every way of writing a path below the run's directory understood?"""
    assert reason(tested) == ""


@pytest.mark.parametrize(
    "tested",
    [
        container("--data-dir=/data"),
        container("--data-dir", "/data/runs/this"),
        container(env=variables(AVAGO_DATA_DIR="")),  # none: in the home directory
        container(env=variables(AVAGO_DATA_DIR="/data/runs/$(RUN_ID)x")),
        container(env=variables(AVAGO_DATA_DIR="/data/runs/$(RUN_ID)/../shared")),
        container(env=variables(AVAGO_DATA_DIR="/data/runs/$$(RUN_ID)")),  # not put in
        container(env=variables(AVAGO_DB_DIR="/data/db")),
        container(env=variables(AVAGO_DB_DIR="/data/runs/db")),
        container(env=variables(AVAGO_DB_DIR=f"{OWN}/$SHARED")),
        container(env=variables(SHARED="../..", AVAGO_DB_DIR=f"{OWN}/$(SHARED)/db")),
        container(env=[FROM_ELSEWHERE, *variables(AVAGO_DB_DIR=f"{OWN}/$(SHARED)/db")]),
        container(env=variables(AVAGO_CHAIN_DATA_DIR="/data/chains")),
        container("--db-dir=/data/db"),
        container("--chain-data-dir=/data/chains"),
        container("--db-dir=", env=variables(AVAGO_DB_DIR=f"{OWN}/db")),  # an empty flag counts
        script(f"export AVAGO_DATA_DIR=/data/node; exec {NODE}"),
        script(f"exec {NODE} --data-dir=/data/node"),
        script(f"AVAGO_DB_DIR=/data/db {NODE}"),
        script(f"exec {NODE} --db-dir=/data/$(hostname)"),
        script(f"exec {NODE} --db-dir=$AVALANCHEGO_DATA_DIR/db"),  # nothing, to a shell
        script(f"RUN_ID=same; exec {NODE} --data-dir=/data/runs/$RUN_ID"),
        script(f"export AVAGO_DATA_DIR=${{AVAGO_DATA_DIR:-/data}}; exec {NODE}"),
        node_container(bare(), command=["env", "AVAGO_DATA_DIR=/data/node", NODE]),
    ],
)
def test_what_the_next_build_would_find_is_refused(tested: Container) -> None:
    """Can no build pass on the database of the last one?"""
    assert reason(tested) == "DataDirNotTheRuns"


@pytest.mark.parametrize(
    ("tested", "place"),
    [
        (container("--db-dir=/data/db"), "--db-dir"),
        (container(env=variables(AVAGO_CHAIN_DATA_DIR="/data/c")), "AVAGO_CHAIN_DATA_DIR"),
        (container("--data-dir=/data"), "--data-dir"),
    ],
)
def test_the_sentence_names_the_place(tested: Container, place: str) -> None:
    """Does the sentence say what to change, and to what?"""
    with pytest.raises(TargetFault) as caught:
        check_data_directories(tested)
    assert place in str(caught.value)
    assert "/data/runs/$(RUN_ID)" in str(caught.value)


@pytest.mark.parametrize(
    "tested",
    [
        container("--db-type=memdb"),
        container(env=variables(AVAGO_DB_TYPE="memdb")),
        container("--db-read-only"),
        container(env=variables(AVAGO_DB_READ_ONLY="true")),
    ],
)
def test_data_in_memory_is_refused(tested: Container) -> None:
    """Is a node refused that a restart would begin anew?"""
    assert reason(tested) == "DataNotKept"


@pytest.mark.parametrize("name", ["AVAGO_DB_DIR", "AVAGO_CHAIN_DATA_DIR", "AVAGO_DB_TYPE"])
def test_a_place_that_cannot_be_known_is_refused(name: str) -> None:
    """Must what decides where data lies be in the manifest?"""
    hidden = EnvVar(name=name, value_from={"configMapKeyRef": {"name": "settings"}})
    assert reason(container(env=[hidden])) == "TargetNotLiteral"
    everything = with_fields(container(), env_from=[{"configMapRef": {"name": "settings"}}])
    assert reason(everything) == "TargetNotLiteral"
