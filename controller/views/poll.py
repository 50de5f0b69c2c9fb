"""How the registry answers for one followed tag."""

from datetime import datetime

from controller.base.fields import number
from controller.base.text import shown
from controller.views.parts import Moment, View, text
from store.api import StateStore


class PollView(View, frozen=True, kw_only=True):
    """As the store has it."""

    repository: str
    tag: str
    # When the registry said what the tag stands for, as the store was told: it may have said so
    # again in the five minutes since
    answered: Moment | None = None
    digest: str = ""  # that it said then
    error: str = ""  # why it does not say so now
    quota_limit: int | None = None  # pulls that the registry allows, where it tells
    quota_remaining: int | None = None


async def poll_of(store: StateStore, repository: str, tag: str) -> PollView:
    """Raises StoreUnavailable and StoreMisused."""
    fields = await store.tag(repository, tag)
    limit, remaining = number(fields, "quota_limit"), number(fields, "quota_remaining")
    return PollView(
        repository=shown(repository),
        tag=shown(tag),
        answered=_time(fields.get("at", "")),
        digest=text(fields, "digest"),
        error=text(fields, "error"),
        quota_limit=None if limit is None else int(limit),
        quota_remaining=None if remaining is None else int(remaining),
    )


def _time(stamp: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return found if found.tzinfo else None
