"""What a webhook is told, in text that Slack shows: a notice, or many summed up."""

import re
from collections import Counter
from collections.abc import Sequence

from controller.base.text import shown
from controller.domain.notice import Level, Notice

DEFAULT_TEMPLATE = "{mark} *{title}*\\n{text}"
TEMPLATE_LENGTH = 500  # characters
LONGEST = 3000  # characters of one text; Slack cuts at 40,000, nobody reads so much
NAMED = 6  # reasons and titles that a sum names
PLACEHOLDERS = (
    "mark", "level", "title", "text", "reason", "phase", "deployment", "target", "run", "build",
)  # fmt: skip
_PLACEHOLDER = re.compile(r"[{]([^{}]*)[}]")
_MARKS = {
    Level.INFO: ":information_source:",
    Level.SUCCESS: ":white_check_mark:",
    Level.WARNING: ":warning:",
    Level.ERROR: ":x:",
}
_WORST_FIRST = (Level.ERROR, Level.WARNING, Level.SUCCESS, Level.INFO)


def check_template(template: str) -> str:
    """The template. Raises ValueError with the remedy."""
    if len(template) > TEMPLATE_LENGTH:
        raise ValueError(f"it is longer than {TEMPLATE_LENGTH} characters: shorten it")
    unknown = [name for name in _PLACEHOLDER.findall(template) if name not in PLACEHOLDERS]
    left = _PLACEHOLDER.sub("", template)
    if unknown or "{" in left or "}" in left or template == left:
        names = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValueError(f"write a text with one or more of {names}")
    return template


def text_of(notice: Notice, template: str) -> str:
    """The template filled in; `\\n` in it begins a line."""
    values = {
        "mark": _MARKS[notice.level],
        "level": notice.level.value,
        "title": notice.title,
        "text": notice.text,
        "reason": notice.reason,
        "phase": str(notice.phase or ""),
        "deployment": notice.deployment,
        "target": notice.target,
        "run": notice.run,
        "build": notice.build,
    }
    lines = template.replace("\\n", "\n")
    return _PLACEHOLDER.sub(lambda found: _plain(values[found[1]]), lines)[:LONGEST]


def sum_of(notices: Sequence[Notice]) -> str:
    """One line for many: how many of which reason, and the last titles, the worst first."""
    worst = next(level for level in _WORST_FIRST if any(n.level is level for n in notices))
    reasons = Counter(notice.reason for notice in notices).most_common()
    parts = [f"{count} {_plain(reason)}" for reason, count in reasons[:NAMED]]
    if len(reasons) > NAMED:
        parts.append(f"{sum(count for _, count in reasons[NAMED:])} others")
    last = {_plain(n.title): None for n in reversed(notices) if n.level is worst}
    titles = "; ".join(list(last)[:NAMED])
    return f"{_MARKS[worst]} *{len(notices)} notices at once*: {', '.join(parts)} ({titles})"[
        :LONGEST
    ]


def _plain(text: str) -> str:
    """One line, without what Slack takes for a link or a mention."""
    clean = shown(text, 1000).replace("&", "&amp;")
    return clean.replace("<", "&lt;").replace(">", "&gt;")
