"""An explanation as typed values, for programs; what people read stands beside it, as `told`."""

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain import names
from controller.domain.build import Quota
from controller.domain.decide.observation import Choice, Decision
from controller.domain.manifest.request import RunRequest
from controller.domain.node_http import AnswerKind, NodeAnswer
from controller.domain.objects import Pod
from controller.inspection.explanation import Explanation
from controller.inspection.explanation_text import tell
from controller.views.deployment import DeploymentView, of_deployment, with_progress
from controller.views.parts import LONGEST, Moment, View, moment


class FaultView(View, frozen=True, kw_only=True):
    """What is wrong with the manifest."""

    reason: str
    message: str


class DecisionView(View, frozen=True, kw_only=True):
    """What whoever looks after it would decide from what is seen here."""

    phase: str
    reason: str
    message: str
    why: tuple[str, ...]  # what keeps it from more, in sentences
    writes: bool  # the Deployment
    pins: str  # id of the run that it would begin; empty: none
    effects: tuple[str, ...]  # kinds of what follows the write, such as `TakeClaim`
    again_in: float | None  # seconds until the next look; None: when something changes


class AskedView(View, frozen=True, kw_only=True):
    """What the manifest asks for."""

    target: str  # slug
    repository: str
    tag: str
    platform: str
    soak: float  # seconds
    timeout: float  # seconds
    suspended: bool


class QuotaView(View, frozen=True, kw_only=True):
    """What a registry says is left of its pull limit."""

    limit: int  # pulls in a window
    remaining: int  # pulls
    window: int  # seconds


class ChoiceView(View, frozen=True, kw_only=True):
    """What could be tested next."""

    name: str  # tag or digest
    source: str  # `tag`, `image` or `test-build`
    build: str  # digest; empty: not known
    index: str  # digest that the name points to; empty: not known
    trouble: str  # why it is not known, or the registry's trouble now; empty: none
    claimed_by: str  # key of the Deployment that has the build on this target; empty: nobody
    claimed_for: str  # id of its run; empty: none, or forgotten
    quota: QuotaView | None = None


class PodView(View, frozen=True, kw_only=True):
    """A pod of the Deployment."""

    name: str
    phase: str
    terminating: bool
    run: str  # id of the run that it belongs to; empty: none


class TipView(View, frozen=True, kw_only=True):
    """The newest block of a chain."""

    chain: str
    height: int
    made: Moment | None


class NodeView(View, frozen=True, kw_only=True):
    """The open run's node, as this machine saw it."""

    reached: bool  # from here; if not, that says nothing about the node
    detail: str
    ready: bool
    healthy: bool
    failing: dict[str, str]  # check to its error
    not_run: tuple[str, ...]  # checks
    peers: int | None
    version: str
    commit: str
    network: str
    tips: tuple[TipView, ...]


class TimeLeftView(View, frozen=True, kw_only=True):
    """Until the open run has bootstrapped."""

    seconds: float | None  # None: no honest estimate
    low: float | None  # seconds
    high: float | None  # seconds
    why: str


class ExplanationView(View, frozen=True, kw_only=True):
    """All of it."""

    deployment: DeploymentView  # by its record: what the controller saw last
    decision: DecisionView
    asked: AskedView | None  # None: the manifest has faults
    faults: tuple[FaultView, ...]
    choices: tuple[ChoiceView, ...]
    pods: tuple[PodView, ...]
    node: NodeView | None  # None: it was not asked
    time_left: TimeLeftView | None
    store_trouble: str  # why the store tells nothing; empty: it does
    lease: str  # who is active, in words
    looks_after: str  # of a Deployment with a monitor, in words; empty: it has none
    told: dict[str, tuple[str, ...]]  # heading to sentences, as `-o table` has them


def view_of(e: Explanation) -> ExplanationView:
    o = e.observation
    faults = [f for f in (o.request, o.port, o.record) if isinstance(f, TargetFault)]
    return ExplanationView(
        deployment=_deployment(e),
        decision=_decision(e.decision),
        asked=_asked(o.request) if isinstance(o.request, RunRequest) else None,
        faults=tuple(FaultView(reason=f.reason, message=_sentence(str(f))) for f in faults),
        choices=tuple(_choice(e, choice) for choice in o.choices),
        pods=tuple(map(_pod, o.pods)),
        node=_node(e.answer) if e.answer else None,
        time_left=_time_left(e),
        store_trouble=_sentence(e.store_trouble),
        lease=_sentence(e.lease),
        looks_after=_sentence(e.custody),
        told={head: tuple(map(_sentence, lines)) for head, lines in tell(e)},
    )


def _deployment(e: Explanation) -> DeploymentView:
    known, view = e.remembered, of_deployment(e.observation.deployment)
    if known.progress is None:
        return view
    left = known.estimate.seconds if known.estimate else None
    return with_progress(view, known.pace, known.observed, left)


def _decision(d: Decision) -> DecisionView:
    return DecisionView(
        phase=str(d.phase),
        reason=str(d.reason),
        message=_sentence(d.message),
        why=tuple(map(_sentence, d.why)),
        writes=d.write is not None,
        pins=(d.write.run_id or "") if d.write is not None and d.write.pins else "",
        effects=tuple(type(effect).__name__ for effect in d.effects),
        again_in=d.again_in,
    )


def _asked(request: RunRequest) -> AskedView:
    return AskedView(
        target=str(request.target),
        repository=str(request.node.reference.repository),
        tag=request.track,
        platform=str(request.platform),
        soak=request.soak,
        timeout=request.timeout,
        suspended=request.suspended,
    )


def _choice(e: Explanation, choice: Choice) -> ChoiceView:
    meant, claim = choice.resolution, choice.claim
    state = next((s for f, s in e.states.items() if f.reference == choice.name), None)
    return ChoiceView(
        name=choice.name,
        source=choice.source,
        build=meant.build if meant else "",
        index=meant.digest if meant else "",
        trouble=_sentence(choice.trouble),
        claimed_by=claim.owner if claim else "",
        claimed_for=claim.run if claim else "",
        quota=_quota(state.quota) if state and state.quota else None,
    )


def _quota(quota: Quota) -> QuotaView:
    return QuotaView(limit=quota.limit, remaining=quota.remaining, window=quota.window)


def _pod(pod: Pod) -> PodView:
    return PodView(
        name=pod.metadata.name,
        phase=pod.status.phase or "",
        terminating=pod.terminating,
        run=pod.metadata.annotation(names.RUN_ID) or "",
    )


def _node(a: NodeAnswer) -> NodeView:
    return NodeView(
        reached=a.kind is not AnswerKind.UNREACHED,
        detail=_sentence(a.detail),
        ready=a.ready,
        healthy=a.healthy,
        failing={_sentence(check): _sentence(error) for check, error in sorted(a.failing.items())},
        not_run=tuple(map(_sentence, sorted(a.not_run))),
        peers=a.peers,
        version=_sentence(a.version),
        commit=_sentence(a.commit),
        network=_sentence(a.network),
        tips=tuple(
            TipView(chain=chain, height=tip.height, made=moment(tip.at or 0.0))
            for chain, tip in sorted(a.tips.items())
        ),
    )


def _time_left(e: Explanation) -> TimeLeftView | None:
    left = e.remembered.estimate
    if left is None:
        return None
    return TimeLeftView(seconds=left.seconds, low=left.low, high=left.high, why=left.why)


def _sentence(text: str) -> str:
    return shown(text, LONGEST) if text else ""
