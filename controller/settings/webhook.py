"""The webhook that is told of notices: its URL is a secret, and so it comes from a file."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from controller.base.loopback import is_loopback
from controller.domain.notice_text import DEFAULT_TEMPLATE, check_template
from controller.settings.option import Defaulted, Option
from controller.settings.reader import OptionReader, parse_text

WEBHOOK_FILE = Option(
    "--webhook-file",
    "BOOTSTRAP_WEBHOOK_FILE",
    parse_text,
    "file that holds the URL of a webhook as Slack has them, which is told of notices",
    metavar="PATH",
)
WEBHOOK_TEMPLATE = Defaulted(
    "--webhook-template",
    "BOOTSTRAP_WEBHOOK_TEMPLATE",
    check_template,
    "what the webhook is told of a notice; `\\n` begins a line",
    metavar="TEMPLATE",
    default=DEFAULT_TEMPLATE,
)

_URL_BYTES = 2048  # longer is no URL: somebody named the wrong file


@dataclass(frozen=True)
class WebhookSettings:
    """Where notices are posted, and how."""

    url: str = field(repr=False)
    template: str  # of `domain.notice_text`


def read_webhook(read: OptionReader) -> WebhookSettings | None:
    """None where none is set. Faults are noted, and never show what the file holds."""
    template = read.value(WEBHOOK_TEMPLATE)
    file = read.maybe(WEBHOOK_FILE)
    if file is None:
        return None
    try:
        with Path(file).open("rb") as opened:
            url = opened.read(_URL_BYTES + 1).decode().strip()
    except OSError as error:
        why = f"it cannot be read ({error.strerror}): name a readable file"
        read.fault(WEBHOOK_FILE, why, file)
        return None
    except UnicodeDecodeError:
        url = ""
    if not _is_url(url):
        why = "it does not hold one URL that begins with https://: write it into the file"
        read.fault(WEBHOOK_FILE, why, file)
        return None
    return WebhookSettings(url, template)


def _is_url(text: str) -> bool:
    """https, for who reads it on its way can post too; http to this machine only."""
    if len(text) > _URL_BYTES or not text.isprintable() or any(c.isspace() for c in text):
        return False
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    own = url.scheme == "http" and is_loopback(url.hostname)
    return bool(url.hostname) and port != 0 and (url.scheme == "https" or own)
