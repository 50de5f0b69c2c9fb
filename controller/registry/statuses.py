"""What an HTTP status of a registry means."""

from controller.base.errors import Garbled, Refused, Trouble, Unavailable
from controller.registry.said import quoted


def meaning_of(status: int, about: str, said: str = "") -> Trouble:
    """Of a status other than 200, where it has no meaning of its own.

    about: who answers, the beginning of the sentence. said: what they say themselves.
    """
    sentence = f"{about} answers {status}{quoted(said)}"
    if status >= 500 or status == 408:
        return Unavailable(sentence)
    return Refused(sentence) if status >= 400 else Garbled(sentence)
