"""The exception tree. Foreign exceptions become one of these in exactly one place per client.

    BootstrapError
    ├── Fault                what a person did wrong; str() is the sentence they are shown
    │   ├── SettingsFault    a flag or an environment variable: exit code 2
    │   └── TargetFault      a Deployment that cannot be tested as it stands: phase Blocked
    └── Trouble              what another system did; carries whether and when to try again
        ├── Unavailable      not reached, or answered with something that passes: try again
        │   ├── Busy         it asked us to wait (429, 503 with Retry-After): never sooner
        │   └── LostReply    a write was sent and no answer came: it may have been applied
        ├── Refused          it answered, and will answer the same again: a person must look
        │   ├── Forbidden    our rights do not reach; says verb and resource
        │   ├── WriteRefused a write was not taken, though nobody else was first
        │   └── NoAccess     a registry that lets nobody in with this login, or without one
        ├── NotFound         the thing is not there
        ├── Conflict         a write's precondition did not hold: read again
        ├── Unsettled        what is decided is undone at once, again and again
        └── Garbled          an answer that is not what the protocol says

Three answers to failures, one for each class: a Fault is shown to its owner and waits for a change,
Unavailable and Garbled are tried again with backoff, Refused is shown and tried again slowly. A
write is not sent again before its own delay is over, whatever has its Deployment looked at
(`engine.reconcile.refused_writes`).
`asyncio.CancelledError` is not in this tree and always passes.
"""


class BootstrapError(Exception):
    """The root of what this project raises on purpose."""


class Fault(BootstrapError):
    """What a person did wrong. `str()` is one sentence that says what to write instead."""


class SettingsFault(Fault):
    """Settings that cannot be used: every fault found, a line each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class TargetFault(Fault):
    """A Deployment that cannot be tested as it stands.

    reason: CamelCase word for the phase's reason, such as `NoSuchContainer`.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class Trouble(BootstrapError):
    """What another system did. `str()` is one sentence that is safe to show: no secret, no
    control character, bounded (see `base.text.shown`).
    """


class Unavailable(Trouble):
    """Not reached, timed out, or a 5xx: the same request may succeed later."""


class Busy(Unavailable):
    """The other side asked us to wait.

    retry_after: seconds, at least this long; None where it did not say.
    """

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class LostReply(Unavailable):
    """A write was sent and no answer came: it may be applied, now or up to a minute later."""


class Refused(Trouble):
    """Answered, and the answer will stay the same until a person changes something."""


class Forbidden(Refused):
    """Our rights do not reach: the sentence names verb and resource."""


class WriteRefused(Refused):
    """A write is not taken, though all that it expects is there: by a policy, a webhook, a limit.
    The sentence holds what the server said.

    passing: it may well pass by itself (a 5xx, no answer). again_in: seconds before which it is
    not sent again; None where that is not known yet.
    """

    def __init__(
        self, sentence: str, *, passing: bool = False, again_in: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.passing = passing
        self.again_in = again_in


class NoAccess(Refused):
    """A registry that lets nobody in with the login that we have, or without one."""


class NotFound(Trouble):
    """The thing asked for is not there."""


class Conflict(Trouble):
    """A write's precondition did not hold (409, or 422 of a failed `test`): read again."""


class Unsettled(Trouble):
    """Each decision was followed by another, as if somebody undid what was decided."""


class Garbled(Trouble):
    """An answer that is not what the protocol says: HTML, a wrong digest, too many bytes."""
