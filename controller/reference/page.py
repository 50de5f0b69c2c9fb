"""docs/reference.md: what the controller tells the outside, in words that rules and filters may
rely on. Written from the code by

    python -c 'from controller.reference.page import describe; print(describe(), end="")'
"""

from collections.abc import Iterable, Iterator, Sequence

from controller.base.metric_table import TABLE
from controller.domain.notice_text import PLACEHOLDERS
from controller.notify.log_sink import FACTS
from controller.notify.notice_tags import TAGS
from controller.reference.notices import rows
from store.redis.layout import LAYOUT

_HEAD = """# Reference: notices, metrics, tags, keys

This page is written from the code (`controller/reference`), and a test compares the two. What is
set by flags is in [configuration.md](configuration.md), what verdicts rest on in
[verdicts.md](verdicts.md).
"""
_NOTICES = """
## Notices

A notice is a line of the log, an event of Datadog, a Kubernetes Event on its Deployment, and a
text for the webhook, and what is a step of a record is a line of `history` too. Level is that of
Datadog's alert types; a Kubernetes Event is `Warning` for `warning` and `error`. Told at least
once: after a crash a notice may come again, with the same id.

A Deployment that is `Blocked` has the reason of what a person must mend, such as `NoTag` or
`TooManyReplicas` (level `warning`): [verdicts.md](verdicts.md) has those of the configuration. A
notice about what no record can hold ends with the same reason and `Ended` (`success`).

"""
_METRICS = """
## Metrics

On `/metrics`; for Datadog under the name that its agent makes with `k8s/components/datadog`.
Gauges of runs come from the records: a controller that starts anew says the same, and one that
stands by says nothing of them. Counters and histograms begin at 0 with the process. Beside them
stand the process's own, `bootstrap_process_...`: memory, CPU time, file descriptors, start time.

"""
_TAGS = """
## Tags and facts

Datadog's events have these tags, in small letters: {tags}. Their source is
`bootstrap-controller`, and events of one run have one aggregation key. Logs have, below the key
`bootstrap`, these facts of a notice where they are known: {facts}. The webhook's template may
hold {placeholders}.
"""
_KEYS = """
## Keys

In Redis, behind the prefix (`--store-prefix`), which is `bootstrap` here. Worked commands are in
[redis.md](redis.md).

"""


def describe() -> str:
    """The page in Markdown."""
    notices = ((f"`{row.reason}`", f"`{row.level}`", row.when) for row in rows())
    metrics = (
        (f"`{f.name}`", f.kind.value, _listed(f.labels), f"`{f.datadog}`", f.meaning) for f in TABLE
    )
    tags = _TAGS.format(
        tags=_listed(TAGS),
        facts=_listed(FACTS),
        placeholders=_listed(f"{{{name}}}" for name in PLACEHOLDERS),
    )
    keys = ((f"`bootstrap:{key}`", kind, what) for key, kind, what in LAYOUT)
    return "".join(
        [
            _HEAD,
            _NOTICES,
            *_table(("reason", "level", "when"), notices),
            _METRICS,
            *_table(("metric", "kind", "labels", "in Datadog", "meaning"), metrics),
            tags,
            _KEYS,
            *_table(("key", "type", "what"), keys),
        ]
    )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |\n"
    yield f"|{'---|' * len(head)}\n"
    for line in lines:
        yield f"| {' | '.join(line)} |\n"
