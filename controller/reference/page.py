"""docs/reference.md: what the controller tells the outside, in words that rules and filters may
rely on. Written from the code by

    python -c 'from controller.reference.page import describe; print(describe(), end="")'
"""

from collections.abc import Iterable, Iterator, Sequence

from controller.base.metric_table import TABLE
from controller.domain.notice_text import PLACEHOLDERS
from controller.notify.log_sink import FACTS
from controller.notify.notice_tags import TAGS
from controller.page.asked import LIMIT, MOST
from controller.reference import api, blocked
from controller.reference.notices import rows
from store.redis.layout import LAYOUT

_HEAD = """# Reference: notices, metrics, tags, keys, API

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
`TooManyReplicas` (level `warning`): all of them stand [below](#blocked). A notice about what no
record can hold ends with the same reason and `Ended` (`success`).

"""
_BLOCKED = """
## Blocked

Nothing is started on a `Blocked` Deployment, and a run that is open goes on where it can. The
message says the same with names and values; it is taken up as soon as the manifest changes.
[verdicts.md](verdicts.md#what-is-blocked) has examples of the node's configuration.

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
_API = """
## API

`GET` below `/api/v1` of [the page](page.md); `/api/v1/openapi.json` says it for programs. `limit`
is 1 to {most}, {usual} if not asked for; `before` is the `next` of the answer before. An error is
`{{"error": "..."}}` with status 400, 404 or 503. Times are RFC 3339 in UTC, durations seconds,
`null` is what is not known.

"""
_FIELDS = """
What an answer holds:

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
    routes = ((f"`{path}`", asked, f"`{kind}`", what) for path, asked, kind, what in api.paths())
    fields = ((f"`{kind}`", f"`{field}`", value) for kind, field, value in api.fields())
    faults = ((f"`{reason}`", *more) for reason, *more in blocked.rows())
    return "".join(
        [
            _HEAD,
            _NOTICES,
            *_table(("reason", "level", "when"), notices),
            _BLOCKED,
            *_table(("reason", "where", "what is wrong", "what to write or do"), faults),
            _METRICS,
            *_table(("metric", "kind", "labels", "in Datadog", "meaning"), metrics),
            tags,
            _KEYS,
            *_table(("key", "type", "what"), keys),
            _API.format(most=MOST, usual=LIMIT),
            *_table(("path", "asked", "answer", "what"), routes),
            _FIELDS,
            *_table(("type", "field", "value"), fields),
        ]
    )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |\n"
    yield f"|{'---|' * len(head)}\n"
    for line in lines:
        yield f"| {' | '.join(line)} |\n"
