"""How often a run's node has ended: restarts are counted from look to look, by pod."""

from collections.abc import Mapping
from dataclasses import replace as with_fields
from datetime import timedelta

from msgspec.structs import replace

from controller.domain.decide.observation import Observation
from controller.domain.health.look import LastWords
from controller.domain.node_log.causes import EndKind
from controller.domain.objects import ContainerStatus, StateTerminated
from controller.domain.pods.process_end import ProcessEnd, process_end_of
from controller.domain.pods.run_pods import RunPods
from controller.domain.pods.stamps import LOST, never_started, ran_for
from controller.domain.pods.stopped import why_stopped
from controller.domain.record.parts import Seen
from controller.domain.record.record import OpenRun

# Of exits with 0: what no trouble of the machine's explains, and no order from outside.
_OF_ITSELF = frozenset({EndKind.ZERO, EndKind.FATAL, EndKind.BAD_BLOCK, EndKind.OWN_FLAGS})


def count_restarts(o: Observation, run: OpenRun, pods: RunPods) -> Seen:
    """What is remembered of the run's pods, with what this look adds. Restarts are counted by pod,
    for a new pod starts at zero [62]. What nobody saw, because several restarts lie between two
    looks, is taken to be like what was seen last.
    """
    seen, status = run.seen, pods.status
    if pods.pod is None or status is None:
        return seen
    uid = pods.pod.metadata.uid
    if _is_unheard(o, (uid, status.restart_count), seen):
        return seen
    if uid != seen.pod:
        seen = replace(seen, pod=uid, restarts=0, counted=0, began=-1, data="")
    word = pods.word if pods.word and pods.word.run == run.id else None
    last, none_ended = _last(status)
    new = 0 if none_ended else max(0, status.restart_count - seen.restarts)
    if o.attention is None or o.attention.first_look:
        # Nobody knows when those were that a controller finds: a loop is soon counted for itself.
        new = min(1, new)
    goes_on = status.state.running is not None or status.restart_count > seen.restarts
    began = word.resumes if word and goes_on else seen.began
    if word is not None and word.resumes > seen.began >= 0:
        # The init container ran again: the whole pod was set up anew, by the machine [61], which
        # counts once. A loop that was on before goes on after it [scene fill].
        new = max(0, new - (word.resumes - seen.began))
    end = _doubted(_end(o, pods, last), pods) if last else None
    if new and last is not None and _recovered(o, last):
        seen, new = _forgotten(seen), 1
    if new:
        seen = _counted(seen, end, new, unasked=_unasked(pods, end))
        seen = replace(seen, counted=status.restart_count)
    elif _tells_more(seen, status, end):
        assert end is not None
        # Its last words were read after it was counted.
        seen = replace(
            seen,
            kind=str(end.kind),
            line=end.sentence,
            cause=end.cause,
            places=(*seen.places[:-1], end.place),
            zeros=_zeros(seen, end),
        )
    if _calm(o, pods):
        seen = _forgotten(seen)
    return replace(
        seen,
        restarts=max(seen.restarts, status.restart_count),
        exit=last.exit_code if last else seen.exit,
        data=word.data if word else seen.data,
        resumes=max(seen.resumes, word.resumes) if word else seen.resumes,
        began=began,
    )


def _is_unheard(o: Observation, ends: tuple[str, int], seen: Seen) -> bool:
    """Whether there is an end of which no look has read the log yet: it is counted, and told, with
    what the log says. A look is due at once when a pod changes.
    """
    attention = o.attention
    if attention is None or attention.first_look:
        return False
    return ends[1] > 0 and ends not in ((seen.pod, seen.restarts), attention.heard)


def _last(status: ContainerStatus) -> tuple[StateTerminated | None, bool]:
    """The last end of a process, and whether what the kubelet tells last is none: no process was
    started, or the machine went away with it.
    """
    last = status.last_state.terminated or status.state.terminated
    if last is not None and (never_started(last) or last.reason in LOST):
        return None, True
    return last, False


def _forgotten(seen: Seen) -> Seen:
    """Without the crashes of before."""
    return replace(seen, crashes=0, ends={}, zeros=0)


def _end(o: Observation, pods: RunPods, last: StateTerminated) -> ProcessEnd:
    """By its log where that was read for this very end, else by the pod's status."""
    assert pods.pod is not None
    assert pods.status is not None
    words: LastWords | None = o.attention.words if o.attention else None
    which = (pods.pod.metadata.uid, pods.status.restart_count)
    if words is not None and (words.pod, words.restarts) == which:
        return words.end
    return process_end_of(last, container=pods.pod.spec.container(pods.status.name))


def _doubted(end: ProcessEnd, pods: RunPods) -> ProcessEnd:
    """An exit with 0 that says nothing is no end of its own where something else can explain it."""
    why = why_stopped(pods) if end.kind is EndKind.ZERO else ""
    return with_fields(end, kind=EndKind.STOPPED, sentence=why) if why else end


def _tells_more(seen: Seen, status: ContainerStatus, end: ProcessEnd | None) -> bool:
    """Whether this is the end that was counted last, and why it ended is news."""
    if end is None or not end.sentence or end.sentence == seen.line:
        return False
    return 0 < seen.counted == status.restart_count


def _counted(seen: Seen, end: ProcessEnd | None, new: int, *, unasked: bool) -> Seen:
    ends: Mapping[str, int] = seen.ends if seen.crashes else {}
    tally = dict(ends)
    kind = str(end.kind if end else EndKind.OTHER)
    if seen.crashes:
        before = seen.kind or str(EndKind.OTHER)
        tally[before] = tally.get(before, 0) + 1
    if new > 1:
        tally[kind] = tally.get(kind, 0) + new - 1
    return replace(
        seen,
        crashes=seen.crashes + new,
        kind=kind,
        line=end.sentence if end else "",
        cause=end.cause if end else None,
        places=(*seen.places[-1:], end.place if end else ""),
        ends=tally,
        zeros=seen.zeros + (1 if unasked else 0),
    )


def _zeros(seen: Seen, end: ProcessEnd) -> int:
    """Exits with 0 that count, once the last one's words are known."""
    if end.kind is EndKind.PANIC and end.code == 0 and seen.kind != EndKind.PANIC:
        return max(seen.zeros, 1)
    asked = seen.kind == EndKind.ZERO and end.kind not in _OF_ITSELF
    return max(0, seen.zeros - 1) if asked else seen.zeros


def _unasked(pods: RunPods, end: ProcessEnd | None) -> bool:
    """Whether an exit with 0 counts against the build: its own log says why, or nothing else can
    explain it.
    """
    if end is None or end.code != 0:
        return False
    if end.kind is EndKind.PANIC:
        return True
    return end.kind in _OF_ITSELF and not why_stopped(pods)


def _recovered(o: Observation, last: StateTerminated) -> bool:
    """Whether the process that ended last had been up for so long that earlier ends are forgotten,
    whether or not anybody saw it.
    """
    lasted = ran_for(last, now=o.now)
    return lasted is not None and lasted >= timedelta(seconds=o.rules.crash_calm)


def _calm(o: Observation, pods: RunPods) -> bool:
    """Whether this life of the node has lasted so long that earlier ends are forgotten."""
    life = pods.life
    if life is None or life.started is None:
        return False
    return o.now - life.started >= timedelta(seconds=o.rules.crash_calm)
