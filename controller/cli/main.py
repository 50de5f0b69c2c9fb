"""`bootstrap-controller`: runs a command, and says what its failure means for the exit code."""

import sys

from controller.base.errors import BootstrapError, Fault
from controller.cli.commands import command_line
from controller.cli.exit_codes import BAD_USAGE, FAILED, INTERRUPTED


def main() -> None:
    """Runs the command that was typed, and exits."""
    try:
        command_line(sys.argv[1:])()
    except Fault as fault:
        _complain(fault)
        sys.exit(BAD_USAGE)
    except BootstrapError as error:
        _complain(error)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _complain(error: BootstrapError) -> None:
    for line in str(error).splitlines():
        print(f"bootstrap-controller: {line}", file=sys.stderr)
