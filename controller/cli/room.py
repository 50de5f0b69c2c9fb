"""Makes a picture of Deployments as high as the screen: sentences are shortened, rows are not."""

from collections.abc import Sequence
from textwrap import wrap

from controller.views.deployment import DeploymentView, with_message, with_progress

INDENT = 4  # columns before a sentence


def fitting(views: Sequence[DeploymentView], width: int, lines: int) -> list[DeploymentView]:
    """The same, their messages so short that rows and messages take at most so many lines; without
    messages where there is no room for any.
    """
    most = (lines - len(views)) // max(1, len(views))
    return [_with(view, _shortened(sentence_of(view), width, most)) for view in views]


def sentence_of(view: DeploymentView) -> str:
    """Its message, and what moves now, which the message of an open run does not follow."""
    doing = view.run.pace[:1] if view.run else ()
    return "; ".join(filter(None, (view.message, *doing)))


def _with(view: DeploymentView, sentence: str) -> DeploymentView:
    run = view.run
    if run is not None and run.pace:
        view = with_progress(view, (), run.observed or 0.0, run.left)
    return with_message(view, sentence)


def wrapped(message: str, width: int) -> list[str]:
    indent = " " * INDENT
    return wrap(
        message,
        max(20, width),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,  # a digest and an id stay whole
        break_on_hyphens=False,
    )


def _shortened(message: str, width: int, most: int) -> str:
    """So that it takes at most so many lines."""
    lines = [line.strip() for line in wrapped(message, width)]
    if most < 1:
        return ""
    if len(lines) <= most:
        return message
    last = lines[most - 1]
    last = (last if len(last) < width - INDENT else last[:-1].rstrip()) + "…"
    return " ".join([*lines[: most - 1], last])
