"""Makes the bundle of a run that is over: reads about its pods what people will want to know,
redacts it, and keeps every part within bounds.
"""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from controller.base.clock import Clock
from controller.base.redact import redact, redact_json
from controller.domain.evidence import Bundle, Place, PodEvent, Read
from controller.domain.objects import Pod
from controller.domain.run import Phase
from controller.engine.evidence import parts
from controller.engine.evidence.parts import Ended, failed_init, has_run
from controller.engine.ports import Witness

LINES = 500  # of a log: a Go panic with all its stacks, and some minutes before it
PART_BYTES = 512 * 1024  # ten parts at most, and so far below what the store takes of a run
_PODS_ASKED = 5  # the newest of a run, for Events

# Cut before it is redacted too: redacting takes its time, and does not mind an unfinished secret
# at the beginning, for that is in what is cut off after it.
_MARGIN = 128 * 1024
_CUT = "(the beginning is left out)\n"

_COLOURS = re.compile(r"\x1b\[[0-9;?]*+[A-Za-z]")
# All that `base.text.shown` takes for unshowable, but for the ends of lines and tabs.
_UNSHOWABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


async def read_bundle(
    witness: Witness, ended: Ended, clock: Clock, secrets: Sequence[str] = ()
) -> Bundle:
    """Of a run that has passed the short form: no logs, no Events. Raises nothing for what cannot
    be read: part `unread.txt` says it.
    """
    draft = _Draft(secrets)
    pods = ended.carriers()
    ran = next((p for p in pods if has_run(p.status_of(ended.container))), None)
    if ended.outcome.phase is not Phase.PASSED:
        # First what is lost first, should the next build's pod take this one's place meanwhile.
        await _logs(witness, ended, ran, draft)
        await _init_log(witness, pods, draft)
        await _events(witness, pods, draft)
    pod = ran or next(iter(pods), None)
    place = await witness.place(pod) if pod is not None else Place()
    draft.unread += [f"{parts.SUMMARY}: {why}" for why in place.unread]
    if not pods:
        draft.unread.append(f"{parts.PODS}: no pod of the run was left")
    draft.add(parts.PODS, parts.pods(pods))
    if ended.answer is None:
        draft.unread.append(f"{parts.NODE}, {parts.HEALTH}: the node has given no answer")
    else:
        draft.add(parts.NODE, parts.node(ended.answer))
        draft.add(parts.HEALTH, parts.health(ended.answer))
    if ended.progress is not None:
        draft.add(parts.PROGRESS, ended.progress)
    draft.add(
        parts.SUMMARY, parts.summary(ended, clock.now(), place, draft.logs, draft.told_unread())
    )
    draft.finish()
    return Bundle(draft.parts)


async def _logs(witness: Witness, ended: Ended, pod: Pod | None, draft: "_Draft") -> None:
    status = pod.status_of(ended.container) if pod is not None else None
    if pod is None or status is None:
        draft.unread.append(f"{parts.NODE_LOG}: no pod was left in which the node has run")
        return
    log = await witness.log(pod, ended.container, lines=LINES)
    draft.log(parts.NODE_LOG, pod, ended.container, log)
    if not status.restart_count and status.last_state.terminated is None:
        return
    previous = await witness.log(pod, ended.container, previous=True, lines=LINES)
    # While a container waits to be started again, its log is that of the one before.
    if previous.text != log.text or not log.text:
        draft.log(parts.PREVIOUS_LOG, pod, ended.container, previous)


async def _init_log(witness: Witness, pods: Sequence[Pod], draft: "_Draft") -> None:
    for pod in pods:
        failed = failed_init(pod)
        if failed is not None:
            log = await witness.log(pod, failed.name, lines=LINES)
            draft.log(parts.INIT_LOG, pod, failed.name, log)
            return


async def _events(witness: Witness, pods: Sequence[Pod], draft: "_Draft") -> None:
    found: list[tuple[Pod, PodEvent]] = []
    for pod in pods[:_PODS_ASKED]:
        events, why = await witness.events(pod)
        found += [(pod, event) for event in events]
        if why:
            draft.unread.append(f"{parts.EVENTS}: {pod.metadata.name}: {why}")
    if len(pods) > _PODS_ASKED:
        why = f"only those of the newest {_PODS_ASKED} pods were asked for, of {len(pods)}"
        draft.unread.append(f"{parts.EVENTS}: {why}")
    draft.add(parts.EVENTS, parts.events(found))


class _Draft:
    """A bundle in the making. logs: name of each to where it is from."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets
        self.parts: dict[str, bytes] = {}
        self.unread: list[str] = []
        self.logs: dict[str, Any] = {}

    def add(self, name: str, value: object) -> None:
        """A value of JSON. One that is too long is left out, and said to be."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        text = orjson.dumps(redact_json(value, self._secrets), option=options).decode()
        # In JSON these stand in strings only, and a space there leaves it as it is.
        part = _UNSHOWABLE.sub(" ", text).encode()
        if len(part) > PART_BYTES:
            why = f"left out: it has {len(part)} bytes, more than {PART_BYTES}"
            part = orjson.dumps({"unread": why}, option=options)
            self.unread.append(f"{name}: {why}")
        self.parts[name] = part

    def log(self, name: str, pod: Pod, container: str, read: Read) -> None:
        if read.unread:
            self.unread.append(f"{name}: {read.unread}")
        if read.unread and not read.text:
            return
        text = _end(shown_lines(read.text), PART_BYTES + _MARGIN)
        whole = redact(text, self._secrets).encode(errors="replace")
        part = _end_bytes(whole, PART_BYTES)
        self.parts[name] = part
        cut = read.cut or len(text) < len(read.text) or part != whole
        self.logs[name] = {"pod": pod.metadata.name, "container": container, "only_its_end": cut}

    def told_unread(self) -> list[str]:
        """Fit to be shown: the sentences are another system's."""
        return [shown_lines(redact(line, self._secrets)).replace("\n", " ") for line in self.unread]

    def finish(self) -> None:
        """Adds the part that is always there."""
        lines = "".join(f"{line}\n" for line in self.told_unread() or [parts.ALL_READ])
        self.parts[parts.UNREAD] = _end_bytes(lines.encode(errors="replace"), PART_BYTES)


def shown_lines(text: str) -> str:
    """The text without colours, its other control characters and direction marks as spaces: lines
    stay lines, and a terminal shows what is there.
    """
    return _UNSHOWABLE.sub(" ", _COLOURS.sub("", text.replace("\r\n", "\n")))


def _end(text: str, limit: int) -> str:
    """About the last `limit` characters: from the beginning of a line, or else of a word."""
    if len(text) <= limit:
        return text
    text = text[-limit:]
    for mark in ("\n", " "):
        _, found, after = text.partition(mark)
        if found and after:
            return after
    return text


def _end_bytes(raw: bytes, limit: int) -> bytes:
    """As it is, or its end with a line that says so: at most `limit` bytes, whole characters."""
    if len(raw) <= limit:
        return raw
    note = _CUT.encode()
    tail = raw[len(note) - limit :]
    _, found, after = tail.partition(b"\n")
    return note + (after if found and after else tail.decode(errors="ignore").encode())
