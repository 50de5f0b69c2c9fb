"""Makes the bundle of a run that is over: reads about its pods what people will want to know,
redacts it, and keeps every part within bounds.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import orjson

from controller.base.clock import Clock
from controller.base.redact import redact, redact_json
from controller.base.text import shown_lines
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
_AT_ONCE = 32 * 1024  # characters that are redacted in some hundredths of a second
_CUT = "(the beginning is left out)\n"

T = TypeVar("T")

_COLOURS = re.compile(r"\x1b\[[0-9;?]*+[A-Za-z]")


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
    await draft.add(parts.PODS, parts.pods(pods))
    if ended.answer is None:
        draft.unread.append(f"{parts.NODE}, {parts.HEALTH}: the node has given no answer")
    else:
        await draft.add(parts.NODE, parts.node(ended.answer))
        await draft.add(parts.HEALTH, parts.health(ended.answer))
    if ended.progress is not None:
        await draft.add(parts.PROGRESS, ended.progress)
    await draft.add(
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
    await draft.log(parts.NODE_LOG, pod, ended.container, log)
    if not status.restart_count and status.last_state.terminated is None:
        return
    previous = await witness.log(pod, ended.container, previous=True, lines=LINES)
    # While a container waits to be started again, its log is that of the one before.
    if previous.text != log.text or not log.text:
        await draft.log(parts.PREVIOUS_LOG, pod, ended.container, previous)


async def _init_log(witness: Witness, pods: Sequence[Pod], draft: "_Draft") -> None:
    for pod in pods:
        failed = failed_init(pod)
        if failed is not None:
            log = await witness.log(pod, failed.name, lines=LINES)
            await draft.log(parts.INIT_LOG, pod, failed.name, log)
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
    await draft.add(parts.EVENTS, parts.events(found))


class _Draft:
    """A bundle in the making. logs: name of each to where it is from."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets
        self.parts: dict[str, bytes] = {}
        self.unread: list[str] = []
        self.logs: dict[str, Any] = {}

    async def add(self, name: str, value: object) -> None:
        """A value of JSON. One that is too long is left out, and said to be."""
        part = await _aside(_is_much(value), lambda: _written(redact_json(value, self._secrets)))
        if len(part) > PART_BYTES:
            why = f"left out: it has {len(part)} bytes, more than {PART_BYTES}"
            part = _written({"unread": why})
            self.unread.append(f"{name}: {why}")
        self.parts[name] = part

    async def log(self, name: str, pod: Pod, container: str, read: Read) -> None:
        if read.unread:
            self.unread.append(f"{name}: {read.unread}")
        if read.unread and not read.text:
            return
        much = len(read.text) > _AT_ONCE
        part, cut = await _aside(much, lambda: _log_part(read.text, self._secrets))
        self.parts[name] = part
        told = {"pod": pod.metadata.name, "container": container}
        self.logs[name] = {**told, "only_its_end": read.cut or cut}

    def told_unread(self) -> list[str]:
        """Fit to be shown: the sentences are another system's."""
        return [_plain(redact(line, self._secrets)).replace("\n", " ") for line in self.unread]

    def finish(self) -> None:
        """Adds the part that is always there."""
        lines = "".join(f"{line}\n" for line in self.told_unread() or [parts.ALL_READ])
        self.parts[parts.UNREAD] = _end_bytes(lines.encode(errors="replace"), PART_BYTES)


async def _aside(much: bool, work: Callable[[], T]) -> T:
    """What takes long, in a thread: the loop has probes and a Lease to see to. Who is cancelled
    meanwhile is so at once; the thread ends by itself, and its work changes nothing. What is short
    is done here: no thread is worth it, and simulated time waits for none.
    """
    return await asyncio.to_thread(work) if much else work()


def _is_much(value: object) -> bool:
    """Whether a value of JSON is long, without looking at more of it than it takes to tell."""
    waiting = [value]
    found = 0
    while waiting and found <= _AT_ONCE:
        item = waiting.pop()
        found += len(item) if isinstance(item, str | bytes) else 8
        if isinstance(item, Mapping):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            waiting += item
    return found > _AT_ONCE


def _written(value: object) -> bytes:
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    # In JSON these stand in strings only, and a space there leaves it as it is.
    return shown_lines(text).encode()


def _log_part(text: str, secrets: Sequence[str]) -> tuple[bytes, bool]:
    """(the redacted end of a log, whether it is only that)."""
    plain = _plain(text)
    end = _end(plain, PART_BYTES + _MARGIN)
    whole = redact(end, secrets).encode(errors="replace")
    part = _end_bytes(whole, PART_BYTES)
    return part, len(end) < len(plain) or part != whole


def _plain(text: str) -> str:
    """Without colours, and as a terminal may show it."""
    return shown_lines(_COLOURS.sub("", text.replace("\r\n", "\n")))


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
