"""The controller's rights: what the Roles under k8s/ grant is what the code asks for, on paper and
against an API server that refuses everything else.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from controller.domain import names
from controller.kube.rights import (
    IDENTIFYING,
    LEASING,
    PLACING,
    READ_CLAIMS,
    READ_NODES,
    READING,
    WITNESSING,
    WRITING,
    Right,
)
from controller.simulator.apiserver.auth import Access, Gate
from controller.simulator.apiserver.resources import Resource
from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.faults import LoseReply
from controller.simulator.world import NAMESPACE, World
from tests.kustomize import K8S, Object, build, build_own, ready
from tests.redis_servers import free_port
from tests.target_world import ENDLESS, REPOSITORY, SECOND, SOAK, TAG, TargetWorld, target_world

pytestmark = pytest.mark.jumping

TARGET = "fuji-c-chain-state-sync"
NAME = f"bootstrap-{TARGET}"
ACCOUNT = {"kind": "ServiceAccount", "name": "bootstrap-controller", "namespace": NAMESPACE}
USER = f"system:serviceaccount:{NAMESPACE}:bootstrap-controller"
TOKEN = "the-accounts-own"

AT_TARGETS = {*READING, *WRITING}
AT_HOME = {*LEASING, *IDENTIFYING}
# What the controller asks for if it can, and does without (controller/kube/pod_facts.py).
OPTIONAL = {*WITNESSING, *PLACING}
CLUSTER_WIDE = "overlays/cluster-wide"
STANDARD = "overlays/standard"
FOLDERS = ["base", "watched-namespace"] + [
    f"overlays/{path.name}" for path in sorted((K8S / "overlays").iterdir())
]


def granted_by(folder: str, *components: str) -> dict[str, set[Right]]:
    """The rights of the controller's account by namespace, `` for all of them: through bindings.
    components: put on the folder in an overlay of one's own.
    """
    objects = build_own(with_components(folder, components)) if components else build(folder)
    rules = {
        (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o["rules"]
        for o in objects
        if "rules" in o
    }
    found: dict[str, set[Right]] = {}
    for binding in objects:
        if "roleRef" not in binding:
            continue
        assert binding["subjects"] == [ACCOUNT], "a right for somebody else"
        reference, namespace = binding["roleRef"], binding["metadata"].get("namespace", "")
        where = namespace if reference["kind"] == "Role" else ""
        for rule in rules.pop((reference["kind"], where, reference["name"])):
            found.setdefault(namespace, set()).update(rights_of(rule))
    assert not rules, "a Role that is bound to nobody"
    return found


def with_components(folder: str, components: Iterable[str]) -> str:
    named = ", ".join(f"../k8s/components/{component}" for component in components)
    return f"{{namespace: bootstrap, resources: [../k8s/{folder}], components: [{named}]}}"


def rights_of(rule: Object) -> set[Right]:
    assert rule.keys() == {"apiGroups", "resources", "verbs"}, "narrower than this test reads"
    return {
        Right(verb, group, *resource.split("/"))
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def said(rights: Iterable[Right]) -> list[str]:
    """As a person reads them: `list deployments.apps`."""
    return sorted(str(right.operation("")).removesuffix(" in all namespaces") for right in rights)


def assert_the_same(granted: set[Right], needed: set[Right]) -> None:
    assert granted == needed, (
        f"granted and not used: {said(granted - needed)}; used and not granted:"
        f" {said(needed - granted)}"
    )


# --- On paper ------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_account_is_granted_what_the_code_needs(folder: str) -> None:
    """Do the Roles of every overlay grant the controller's account exactly the verbs of
    controller/kube/rights.py, where it needs them?
    """
    granted = granted_by(folder)
    if folder == CLUSTER_WIDE:
        assert granted.keys() == {"", NAMESPACE}
        assert_the_same(granted[""], AT_TARGETS)
        assert_the_same(granted[NAMESPACE], AT_HOME)
        return
    (watched,) = granted  # one namespace, which is also where its Lease is held
    assert (watched == NAMESPACE) == (folder != "watched-namespace")
    optional = set(WITNESSING) if folder.startswith("overlays/") else set()
    assert_the_same(granted[watched], AT_TARGETS | AT_HOME | optional)


@pytest.mark.parametrize(
    ("folder", "components", "everywhere", "at_home"),
    [
        ("base", ["evidence"], set(), {*WITNESSING}),
        ("base", ["node-facts"], {READ_NODES}, {READ_CLAIMS}),
        (STANDARD, ["node-facts"], {READ_NODES}, {*WITNESSING, READ_CLAIMS}),
        (CLUSTER_WIDE, ["evidence-cluster-wide"], {*WITNESSING}, set()),
        (CLUSTER_WIDE, ["node-facts-cluster-wide"], {*PLACING}, set()),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else None,
)
def test_an_optional_component_reaches_where_targets_are(
    folder: str, components: list[str], everywhere: set[Right], at_home: set[Right]
) -> None:
    """Is each optional right granted beside the others, in one namespace or in all, and no more?"""
    granted = granted_by(folder, *components)
    wide = folder == CLUSTER_WIDE
    assert_the_same(granted.get("", set()), everywhere | (AT_TARGETS if wide else set()))
    assert_the_same(granted[NAMESPACE], at_home | AT_HOME | (set() if wide else AT_TARGETS))


# --- At work -------------------------------------------------------------------------------------


class RbacGate(Gate):
    """Allows what the Roles grant, and keeps what was asked for. granted: as `granted_by` has it.

    asked, refused: by requests; questions about rights (SelfSubjectAccessReview) do not count, nor
    what is optional: that depends on what happens to nodes.
    """

    def __init__(self, granted: dict[str, set[Right]], told: Callable[[], None]) -> None:
        super().__init__({TOKEN: USER}, self._grants)
        self.granted = granted
        self.asked: set[Right] = set()
        self.refused: set[Right] = set()
        self._told = told

    def _grants(self, access: Access) -> bool:
        right = right_of(access)
        return any(right in self.granted.get(place, ()) for place in ("", access.namespace))

    def check(self, access: Access, resource: Resource | None) -> None:
        assert access.user == USER
        if right_of(access) in OPTIONAL:
            super().check(access, resource)
            return
        self.asked.add(right_of(access))
        try:
            super().check(access, resource)
        except StatusError:
            self.refused.add(right_of(access))
            self._told()
            raise


def right_of(access: Access) -> Right:
    return Right(access.verb, access.group, *access.resource.split("/"))


@dataclass
class Guarded:
    """A world whose API server lets the controller do what the Roles say. flags: of the controller,
    which asks nodes directly, as in a cluster.
    """

    stage: TargetWorld
    gate: RbacGate
    flags: dict[str, object]

    @contextlib.asynccontextmanager
    async def controller(self) -> AsyncIterator[None]:
        async with self.stage.controller({"POD_NAME": "bootstrap-controller-0"}, **self.flags):
            yield


@contextlib.asynccontextmanager
async def guarded(folder: Path, granted: dict[str, set[Right]]) -> AsyncIterator[Guarded]:
    async with target_world(folder) as stage, front_door(stage.world) as template:
        server = stage.world.api
        gate = server.served.gate = RbacGate(granted, stage.hear)
        kubeconfig = server.kubeconfig(folder / "account", namespace=NAMESPACE, token=TOKEN)
        stage.world.push(REPOSITORY, TAG, ENDLESS)
        stage.create(ready(TARGET), soak=SOAK)
        flags: dict[str, object] = {"kubeconfig": str(kubeconfig), "node_url": template}
        yield Guarded(stage, gate, flags)


@contextlib.asynccontextmanager
async def front_door(world: World) -> AsyncIterator[str]:
    """A template for `--node-url`: nodes listen somewhere on this machine, not at their pod's
    address, and the API server is not to be asked for them.
    """

    async def pass_on(request: web.Request) -> web.StreamResponse:
        namespace, name, port, rest = (
            request.match_info[part] for part in ("namespace", "pod", "port", "rest")
        )
        try:
            pod = world.api.objects.get("pods", namespace, name)
            return await world.api.proxy.forward(request, pod, f"{name}:{port}", rest)
        except StatusError:  # no such pod, or nobody listens there
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)

    app = web.Application()
    app.router.add_route("*", "/{namespace}/{pod}/{port}/{rest:.*}", pass_on)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/{{namespace}}/{{pod}}/{{port}}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("overlay", [STANDARD, CLUSTER_WIDE])
async def test_a_whole_life_needs_these_rights_and_no_others(overlay: str, tmp_path: Path) -> None:
    """With the rights of the Roles alone, do runs pass across a restart and a lost reply, with
    nothing refused, and is every right that is granted and not optional really used?
    """
    granted = granted_by(overlay)
    async with guarded(tmp_path, granted) as place:
        stage, gate = place.stage, place.gate
        if overlay == CLUSTER_WIDE:
            place.flags["namespace"] = ["*"]
        # After a write whose answer was lost the Deployment is read.
        lost = stage.world.api.faults.add(LoseReply(), method="PATCH", path="/deployments/")
        async with place.controller():
            run = await stage.bootstrapping(NAME)
            assert lost.hits == 1
        async with place.controller():
            outcome = await stage.finish(NAME)
            assert (outcome.run, outcome.phase) == (run.id, "Passed")
            stage.world.push(REPOSITORY, TAG, SECOND)
            await stage.until(lambda: len(stage.outcomes(NAME)) == 2)
            assert stage.outcomes(NAME)[1].phase == "Passed"
        assert gate.refused == set()
        assert_the_same(set().union(*granted.values()) - OPTIONAL, gate.asked)
        assert missing_by(stage.said) == []
        events = stage.world.api.storage.objects("events", NAMESPACE)
        posted = {event["reason"] for event in events}
        assert {"NewBuild", "NodeStarted", "Bootstrapped", "Soaked"} <= posted


@pytest.mark.parametrize("right", sorted(AT_TARGETS | AT_HOME, key=str), ids=lambda r: said([r])[0])
async def test_a_right_that_is_missing_is_named(right: Right, tmp_path: Path) -> None:
    """With any one verb taken away, is something refused, and does the log say so at the start and
    at the refusal; and /readyz too, where nothing can be seen without it?
    """
    granted = granted_by(STANDARD)
    granted[NAMESPACE].remove(right)
    (name,) = said([right])
    refusal = f"not allowed to {name}"
    async with guarded(tmp_path, granted) as place:
        stage, gate = place.stage, place.gate
        if right in LEASING and right.verb == "update":
            leave_lease(stage.world)
        if right == Right("get", "apps", "deployments"):
            # It is read by itself only where the answer to a write was lost.
            stage.world.api.faults.add(LoseReply(), method="PATCH", path="/deployments/")
        place.flags["listen"] = f"127.0.0.1:{free_port()}"
        async with place.controller():
            await stage.until(lambda: gate.refused)
            await stage.until(lambda: mentions(stage.said, refusal))
            if right.verb == "watch":
                await stage.until(lambda: mentions(stage.said, "controller leads"))
            if right in READING or right in IDENTIFYING:
                status, sentence = await readiness(f"http://{place.flags['listen']}/readyz")
                assert refusal in sentence
                # Without a watch it has at least its lists, old as they are.
                assert status == (200 if right.verb == "watch" else 503)
        assert said(gate.refused) == [name]
        assert missing_by(stage.said) == [f"missing right: {name} in namespace {NAMESPACE}"]


def missing_by(lines: list[str]) -> list[str]:
    """The sentences that name a missing right which is not optional."""
    optional = [said([right])[0] for right in OPTIONAL]
    return [
        line.partition(" {")[0]
        for line in lines
        if "missing right" in line and not any(name in line for name in optional)
    ]


def mentions(lines: list[str], text: str) -> bool:
    return any(text in line for line in lines)


def leave_lease(world: World) -> None:
    """As a controller leaves it that has stopped in good order."""
    lease = {
        "metadata": {"name": names.FIELD_MANAGER, "namespace": NAMESPACE},
        "spec": {"holderIdentity": "", "leaseDurationSeconds": 1},
    }
    world.api.objects.create("leases", lease)


async def readiness(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()
