"""Scenes of one run before the machine: what pods and node show, hour after hour, and what became
of it.
"""

from dataclasses import dataclass

from msgspec.structs import replace as with_fields

from controller.domain import names
from controller.domain.failure_class import class_of
from controller.domain.node_http import AnswerKind, NodeAnswer, Tip
from controller.domain.objects import (
    ContainerState,
    Pod,
    StateTerminated,
)
from controller.domain.record.parts import ToldCondition
from controller.domain.record.record import OpenRun, Outcome, Record, encode_record
from controller.domain.run import Phase
from tests.machine_objects import (
    BUSY,
    RULES,
    SOUND,
    chain_config,
    deployment,
    pod,
    variables,
    with_annotations,
    word,
)
from tests.machine_world import World

HOUR = 3600.0
KEY = deployment().metadata.key
MOVING = NodeAnswer(
    AnswerKind.ANSWERED, "", failing={"bootstrapped": "no"}, counters={"C/fetched": 1.0}, peers=5
)


# C has begun and fetches nothing, P is finished and goes on [scene cannot-parse]
NOTHING_FETCHED = NodeAnswer(
    AnswerKind.ANSWERED,
    "",
    failing={"bootstrapped": "subnets not bootstrapped"},
    counters={"P/fetched": 9.0, "C/fetched": 0.0, "C/executed": 0.0, "C/state-synced": 0.0},
    peers=5,
)
# No peer stays [scene moved-on]
CUT_OFF = NodeAnswer(
    AnswerKind.ANSWERED,
    "",
    failing={"network": "not connected to a minimum of 1 peer(s) only 0", "bootstrapped": "no"},
    counters={"P/fetched": 0.0, "P/executed": 0.0},
    peers=0,
)
# A line of a node's log [scene state-sync]
SUMMARY = (
    '{{"level":"info","timestamp":"2026-11-23T06:00:00.000Z","logger":"C Chain",'
    '"msg":"accepted state summary","summaryID":"mK3F","syncMode":"{}"}}\n'
)


@dataclass
class Beside:
    """Another Deployment of the network, whose run is open."""

    world: World
    key: str

    def conditions(self, *types: str, message: str = "") -> None:
        """Its record says that these hold, from now on."""
        since = int(self.world.now.timestamp())
        told = (ToldCondition(type=type_, since=since, message=message) for type_ in types)
        self._note(conditions=tuple(told))

    def passed(self, s: "Scene") -> None:
        """It has once passed the scene's build on the scene's target."""
        run = s.world.record(s.key).run
        assert run is not None
        outcome = Outcome(
            run="20261101t000000z-00000000",
            build=run.build,
            target=run.target,
            phase=Phase.PASSED,
            reason="Soaked",
            at=1,
            began=1,
        )
        self._write(with_fields(self.world.record(self.key), run=None, outcomes=(outcome,)))

    def trouble(self, target: str) -> None:
        """Its run has just ended, by the network's trouble."""
        outcome = Outcome(
            run="20261101t000000z-00000000",
            build="sha256:" + "b" * 64,
            target=target,
            phase=Phase.FAILED,
            reason="NetworkTrouble",
            at=int(self.world.now.timestamp()),
            began=1,
        )
        self._write(with_fields(self.world.record(self.key), run=None, outcomes=(outcome,)))

    def _note(self, **changes: object) -> None:
        record = self.world.record(self.key)
        assert record.run is not None
        self._write(with_fields(record, run=with_fields(record.run, **changes)))

    def _write(self, record: Record) -> None:
        found = self.world.deployments[self.key]
        written = {**(found.metadata.annotations or {}), names.RECORD: encode_record(record, RULES)}
        self.world.change(
            self.key,
            with_fields(found, metadata=with_fields(found.metadata, annotations=written)),
        )


@dataclass
class Scene:
    """One run whose node has started; an hour or so is played in steps of half a minute."""

    world: World
    key: str
    run: str

    def shows(self, made: Pod) -> None:
        self.world.pods[self.key] = (made,)

    def made(self, **shape: object) -> Pod:
        run = self.world.record(self.key).run
        assert run is not None
        shape.setdefault("said", word(self.run, "fresh"))
        shape.setdefault("started", self.world.now)
        shape.setdefault("uid", f"pod-{self.world.pods_made}")
        return pod(self.run, run.image, **shape)  # type: ignore[arg-type]

    def looks(self, answer: NodeAnswer | None, hours: float) -> None:
        """As long as the run is open."""
        for _ in range(int(hours * 120)):
            if self.world.record(self.key).run is None:
                return
            self.world.probe(self.key, answer)
            self.world.settle(self.key)

    def ends(self, times: int, code: int, *, line: str = "", reason: str = "Error") -> None:
        """The node ends and is started again; its status has the last line of its log."""
        for number in range(1, times + 1):
            self.ends_with(number, code, line=line, reason=reason)

    def ends_with(self, restarts: int, code: int, *, line: str = "", reason: str = "Error") -> None:
        """The end after which the node's container has been restarted so often."""
        if self.world.record(self.key).run is None:
            return
        made = self.made(restarts=restarts, exit_code=code, last_reason=reason)
        assert made.status.container_statuses is not None
        status = made.status.container_statuses[0]
        ended = with_fields(status.last_state.terminated or StateTerminated(), message=line)
        status = with_fields(status, last_state=ContainerState(terminated=ended))
        self.shows(with_fields(made, status=with_fields(made.status, container_statuses=[status])))
        self.looks(BUSY, 0.05)

    def hears(self, log: str) -> None:
        """This is what the node's log says from now on, where it was read."""
        self.world.log[self.key] = log

    def beside(
        self, name: str, *, build: str, mode: str = "c-chain-state-sync", network: str = "fuji"
    ) -> Beside:
        """Another Deployment, whose run is open and without trouble."""
        now = int(self.world.now.timestamp())
        run = OpenRun(
            id=f"20261120t060000z-{build * 8}",
            build="sha256:" + build * 64,
            image="avaplatform/avalanchego:latest@sha256:" + build * 64,
            target=f"{network}-{mode}",
            network=network,
            mode=mode,
            config="x",
            phase=Phase.BOOTSTRAPPING,
            reason="NodeStarted",
            decided=now,
            since=now,
        )
        record = Record(
            schema=1, namespace="bootstrap", name=name, uid="uid-2", run=run, last_run=run.id
        )
        text = encode_record(record, RULES)
        made = deployment(name, uid="uid-2", record=text, image=run.image, run_id=run.id)
        key = self.world.add(made)
        return Beside(self.world, key)

    @property
    def message(self) -> str:
        """Of the run that is over."""
        outcome = self.world.record(self.key).outcome()
        assert outcome is not None
        return outcome.message

    @property
    def told(self) -> list[str]:
        """The conditions that people were told of and that hold."""
        run = self.world.record(self.key).run
        assert run is not None
        return [condition.type for condition in run.conditions]

    @property
    def verdict(self) -> tuple[str, str, str]:
        """Phase, reason and class of the run, or of the open run."""
        record = self.world.record(self.key)
        if record.run is not None:
            return str(record.run.phase), "", ""
        outcome = record.outcome()
        assert outcome is not None
        return str(outcome.phase), outcome.reason, class_of(outcome.reason)


def full_sync() -> Scene:
    return scene(AVAGO_CHAIN_CONFIG_CONTENT=chain_config({"state-sync-enabled": False}))


def newer_peer(s: Scene) -> str:
    """A line of its log, of now [scene moved-on]."""
    at = s.world.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return (
        f'{{"level":"info","timestamp":"{at}","caller":"peer/peer.go:872","msg":"peer attempting'
        ' to connect with newer version. You may want to update your client","nodeID":"NodeID-7",'
        '"myVersion":"avalanchego/1.14.2","peerVersion":"avalanchego/1.16.0"}\n'
    )


def scene(**env: str) -> Scene:
    """env: of the node, beside its network."""
    world = World()
    made = deployment(env=variables(AVAGO_NETWORK_ID="fuji", **env))
    key = world.add(with_annotations(made, soak="10m"))
    run = world.start_run(key)
    world.kubelet(key)
    world.settle(key)
    return Scene(world, key, run)


def soaking() -> Scene:
    found = scene()
    found.looks(SOUND, 0.02)
    record = found.world.record(found.key)
    assert record.run is not None
    assert record.run.phase is Phase.SOAKING
    return found


def moved(number: int) -> NodeAnswer:
    return NodeAnswer(
        AnswerKind.ANSWERED, "", counters={"C/executed": float(number)}, peers=3, failing={"C": ""}
    )


def failing(check: str, error: str) -> NodeAnswer:
    return NodeAnswer(AnswerKind.ANSWERED, "", ready=True, failing={check: error}, peers=5)


def with_tip(tip: Tip) -> NodeAnswer:
    return NodeAnswer(AnswerKind.ANSWERED, "", ready=True, healthy=True, tips={"C": tip}, peers=5)
