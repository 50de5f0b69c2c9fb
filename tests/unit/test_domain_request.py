"""What a Deployment asks to have tested, and each way of asking wrongly: reason and remedy."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace as with_fields

from controller.base.errors import TargetFault
from controller.domain import names
from controller.domain.defaults import DAY, HOUR, MINUTE, Rules
from controller.domain.manifest.request import RunRequest, configuration_hash, read_request
from controller.domain.objects import Container, Deployment, EnvVar
from controller.domain.target import SyncMode, Target
from tests.machine_objects import (
    REPOSITORY,
    bare,
    build,
    chain_config,
    deployment,
    init_container,
    node_container,
    pinned,
    variables,
    with_annotations,
    with_env,
)

RULES = Rules()
FUJI = variables(AVAGO_NETWORK_ID="fuji")


def request(found: Deployment) -> RunRequest:
    return read_request(found, RULES)


def fault(found: Deployment) -> TargetFault:
    with pytest.raises(TargetFault) as caught:
        read_request(found, RULES)
    return caught.value


def annotated(**entries: str) -> Deployment:
    return with_annotations(deployment(), **entries)


def with_node(*containers: Container) -> Deployment:
    return deployment(containers=containers)


def test_a_plain_deployment_needs_no_annotation() -> None:
    """Is all that a person may leave out taken as the documentation says?"""
    found = request(deployment())
    assert found.target == Target("fuji", SyncMode.STATE)
    assert str(found.target) == "fuji-c-chain-state-sync"
    assert (found.track, found.first, found.suspended) == ("latest", None, False)
    assert (found.soak, found.keep_failed_data) == (10 * MINUTE, 72 * HOUR)
    assert str(found.platform) == "linux/amd64"
    assert [(p.init, p.name) for p in found.pinned] == [(False, "node"), (True, "prepare-data")]


def configured(*, state_sync: bool, pruning: bool = True) -> str:
    return chain_config({"state-sync-enabled": state_sync, "pruning-enabled": pruning})


P_CHAIN = variables(AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK="true")
STATE = variables(AVAGO_CHAIN_CONFIG_CONTENT=configured(state_sync=True))
FULL = variables(AVAGO_CHAIN_CONFIG_CONTENT=configured(state_sync=False))
ARCHIVE = variables(AVAGO_CHAIN_CONFIG_CONTENT=configured(state_sync=False, pruning=False))


@pytest.mark.parametrize(
    ("network", "mode", "timeout"),
    [
        ("mainnet", P_CHAIN, 3 * DAY),
        ("mainnet", STATE, 7 * DAY),
        ("mainnet", FULL, 60 * DAY),
        ("mainnet", ARCHIVE, 90 * DAY),  # it needs more than 30 days
        ("fuji", P_CHAIN, 3 * DAY),
        ("fuji", STATE, 7 * DAY),
        ("fuji", FULL, 30 * DAY),
        ("fuji", ARCHIVE, 30 * DAY),
        ("network-1337", FULL, 30 * DAY),
    ],
)
def test_each_network_and_mode_has_its_own_timeout(
    network: str, mode: list[EnvVar], timeout: float
) -> None:
    """Does the longest time that a run may take follow from its network and sync mode?"""
    env = [*variables(AVAGO_NETWORK_ID=network), *mode]
    assert request(deployment(env=env)).timeout == timeout


def test_what_a_person_writes_is_taken() -> None:
    """Is each annotation of the documentation read?"""
    found = request(
        annotated(
            track="master",
            series="pebble",
            timeout="12h",
            soak="90s",
            keep_failed_data="1d12h",
            suspend="true",
            test_build="v1.14.0",
        )
    )
    assert str(found.target) == "fuji-c-chain-state-sync-pebble"
    assert (found.track, found.first, found.suspended) == ("master", "v1.14.0", True)
    assert (found.timeout, found.soak, found.keep_failed_data) == (12 * HOUR, 90.0, 36 * HOUR)


def test_the_node_selector_says_the_architecture() -> None:
    """Is another build tested where the pod runs on another architecture?"""
    found = deployment(node_selector={"kubernetes.io/arch": "arm64"})
    assert request(found).platform.arch == "arm64"


def test_a_pinned_image_still_says_its_tag() -> None:
    """Is a Deployment that was pinned followed by the tag that its image names?"""
    assert request(deployment(image=pinned("a", "master"))).track == "master"


def test_an_image_without_tag_follows_latest() -> None:
    """Is an image without a tag what the container runtimes take it for?"""
    assert request(deployment(image=REPOSITORY)).track == "latest"


def test_init_containers_of_other_repositories_are_not_pinned() -> None:
    """Is only what runs the node's image pinned?"""
    inits = [init_container(bare()), Container(name="chown", image="busybox:1.36")]
    found = request(deployment(init_containers=inits))
    assert [p.name for p in found.pinned if p.init] == ["prepare-data"]


def test_a_sidecar_of_the_same_repository_is_not_pinned() -> None:
    """Are other containers never touched?"""
    found = with_node(node_container(bare(), env=FUJI), Container(name="side", image=bare()))
    assert [p.name for p in request(found).pinned] == ["node", "prepare-data"]


def test_another_container_may_run_the_node() -> None:
    """Does the annotation name the container?"""
    found = with_node(node_container(bare(), env=FUJI, name="avago"))
    assert request(with_annotations(found, container="avago")).node.name == "avago"


NO_RUN_ID = Container(name="prepare-data", image=bare())
NO_DATA_DIR = with_fields(
    node_container(bare(), env=FUJI), env=[*(node_container(bare()).env or [])[:1], *FUJI]
)
OTHER_DATA_DIR = node_container(bare(), env=[*FUJI, *variables(AVAGO_DATA_DIR="/data")])


@pytest.mark.parametrize(
    ("found", "reason", "remedies"),
    [
        # no such container
        (
            annotated(container="avago"),
            "NoSuchContainer",
            ["'avago'", "there is: node", names.CONTAINER],
        ),
        (with_node(Container(name="other", image=bare())), "NoSuchContainer", ["'node'"]),
        # no tag to follow
        (deployment(image=f"{REPOSITORY}@{build('a')}"), "NoTag", ["before '@'", names.TRACK]),
        (annotated(track="no/tag"), "BadTag", [names.TRACK, "such as 'latest'"]),
        (annotated(track=""), "BadTag", [names.TRACK]),
        # a reference that does not parse
        (deployment(image="Not A Reference"), "BadReference", ["the form is"]),
        (deployment(image=f" {bare()}", init_image=bare()), "BadReference", ["space"]),
        (deployment(image=f"{REPOSITORY}@sha256:12"), "BadReference", ["64 digits"]),
        (annotated(test_build="v1/2"), "BadTestBuild", [names.TEST_BUILD]),
        (annotated(test_build="sha256:12"), "BadTestBuild", ["64 digits"]),
        # a strategy other than Recreate
        (deployment(strategy="RollingUpdate"), "NotRecreate", ["strategy: {type: Recreate}"]),
        (deployment(strategy=""), "NotRecreate", ["RollingUpdate"]),
        # spec.paused, replicas
        (deployment(paused=True), "Paused", ["remove it"]),
        (deployment(replicas=2), "TooManyReplicas", ["replicas: 1"]),
        (deployment(replicas=0), "NoReplica", ["replicas: 1"]),
        (deployment(pod_labels={"app": "fuji"}), "PodNotLabelled", ["add it", "k8s/targets"]),
        # the pod's contract
        (deployment(init_containers=[]), "RunIdNotTaken", ["downward API", "k8s/targets"]),
        (deployment(init_containers=[NO_RUN_ID]), "RunIdNotTaken", ["k8s/targets"]),
        (deployment(init_image="busybox:1.36"), "OtherInitImage", ["'prepare-data'", bare()]),
        (deployment(init_image="Not A Reference"), "OtherInitImage", [bare()]),
        (with_node(NO_DATA_DIR), "DataDirNotTheRuns", ["/data/runs/$(RUN_ID)"]),
        (with_node(OTHER_DATA_DIR), "DataDirNotTheRuns", ["/data/runs/$(RUN_ID)"]),
        # target variables
        (
            deployment(env=[EnvVar(name="AVAGO_NETWORK_ID", value_from={"secretKeyRef": {}})]),
            "TargetNotLiteral",
            ["secretKeyRef", "literal value"],
        ),
        # what nobody can read, or the node would drop
        (
            with_node(node_container(bare(), env=FUJI, command=["/run.sh"])),
            "HiddenConfiguration",
            ["'/run.sh'", "write command"],
        ),
        (
            deployment(env=[*FUJI, *variables(AVAGO_HTTP_PORT="tcp://10.96.0.7:9650")]),
            "BadNumber",
            ["AVAGO_HTTP_PORT", "'tcp://10.96.0.7:9650'", "write"],
        ),
        (deployment(env=[*FUJI, *variables(AVAGO_DB_DIR="/data")]), "DataDirNotTheRuns", ["AVAGO"]),
        # durations and switches
        (annotated(timeout="a week"), "BadDuration", [names.TIMEOUT, "7d"]),
        (annotated(timeout=""), "BadDuration", [names.TIMEOUT]),
        (annotated(soak="-5m"), "BadDuration", [names.SOAK]),
        (annotated(keep_failed_data="99999d"), "BadDuration", [names.KEEP_FAILED_DATA]),
        (annotated(suspend="maybe"), "BadSwitch", [names.SUSPEND, '"true" or "false"']),
        (annotated(series="No Series"), "BadSeries", [names.SERIES, "lower-case"]),
        (annotated(series="x" * 33), "BadSeries", ["32"]),
        # an annotation of 200 KB
        (annotated(soak="9" * 200_000), "BadDuration", [names.SOAK]),
        (annotated(track="t" * 200_000), "BadTag", [names.TRACK]),
        (annotated(container="c" * 200_000), "NoSuchContainer", [names.CONTAINER]),
        (annotated(series="s" * 200_000), "BadSeries", [names.SERIES]),
        (annotated(test_build="b" * 200_000), "BadTestBuild", [names.TEST_BUILD]),
        (annotated(suspend="s" * 200_000), "BadSwitch", [names.SUSPEND]),
    ],
)
def test_a_manifest_that_cannot_be_tested_gets_one_sentence(
    found: Deployment, reason: str, remedies: Sequence[str]
) -> None:
    """Does each bad manifest get its own reason and a short sentence that says what to write?"""
    said = fault(found)
    assert said.reason == reason
    for remedy in remedies:
        assert remedy in str(said)
    assert len(str(said)) < 500
    assert "\n" not in str(said)


def test_a_wrong_arrangement_of_variables_is_found() -> None:
    """Must the run id be a variable of the node too, so that its data directory follows it?"""
    directory = EnvVar(name="AVAGO_DATA_DIR", value="/data/runs/$(RUN_ID)")
    run_id = (node_container(bare()).env or [])[0]
    for env in ([directory, *FUJI], [directory, run_id, *FUJI]):  # missing; too late to be put in
        found = with_node(with_fields(node_container(bare()), env=env))
        assert fault(found).reason == "DataDirNotTheRuns"


def test_another_name_for_the_run_id_is_fine() -> None:
    """Is it the downward API that counts, and not the name of the variable?"""
    first = (node_container(bare()).env or [])[0]
    env = [
        with_fields(first, name="ID"),
        EnvVar(name="AVAGO_DATA_DIR", value="/data/runs/$(ID)"),
        *FUJI,
    ]
    assert request(with_node(with_fields(node_container(bare()), env=env))).track == "latest"


def test_the_hash_moves_with_command_args_and_env_only() -> None:
    """Does every change of the node's configuration show, and a pin never?"""
    plain = configuration_hash(deployment())
    assert configuration_hash(deployment(image=pinned("a"), run_id="x")) == plain
    assert configuration_hash(annotated(soak="1m")) == plain
    others = {
        configuration_hash(with_env(deployment(), EnvVar(name="AVAGO_LOG_LEVEL", value="debug"))),
        configuration_hash(with_node(node_container(bare(), env=FUJI, args=["--a"]))),
        configuration_hash(with_node(node_container(bare(), env=FUJI, command=["--a"]))),
        configuration_hash(with_node(node_container(bare(), env=FUJI, env_from=[{"prefix": "X"}]))),
    }
    assert len(others | {plain}) == 5
    assert len(plain) == 16


def test_without_the_container_there_is_no_hash() -> None:
    """Is a container that is missing not taken for one that is empty?"""
    assert configuration_hash(with_node(Container(name="other"))) == ""


def test_blanks_around_an_annotation_are_not_part_of_it() -> None:
    """Does what an editor of another system or a paste leaves at the ends change nothing?"""
    found = request(
        annotated(
            track="release\r\n",
            series=" nightly ",
            soak="5m\r\n",
            suspend=" TRUE\n",
            container="node\r",
            test_build="\tv1.14.0 ",
        )
    )
    assert (found.track, found.target.series, found.first) == ("release", "nightly", "v1.14.0")
    assert (found.soak, found.suspended, found.node.name) == (5 * MINUTE, True, "node")


def test_blanks_alone_are_as_good_as_nothing() -> None:
    """Is an annotation that holds only the end of a line the default where that may be?"""
    found = request(annotated(series="\r\n", test_build=" ", container="\n", suspend=" "))
    assert (found.target.series, found.first, found.suspended) == ("", None, False)
