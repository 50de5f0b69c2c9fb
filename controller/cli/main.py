"""`bootstrap-controller`: runs a command, and says what its failure means for the exit code."""

import errno
import sys
from collections.abc import Sequence

from controller.base.errors import BootstrapError, Fault
from controller.cli.collecting import not_at_the_end
from controller.cli.commands import command_line
from controller.cli.completing import hush, is_completing, mend_line
from controller.cli.exit_codes import BAD_USAGE, DONE, FAILED, INTERRUPTED
from controller.cli.streams import give_up, mend, output_error
from controller.settings.environ import environment

PROGRAM = "bootstrap-controller"


def main() -> None:
    """Runs the command that was typed, and exits."""
    mend()
    not_at_the_end()
    if is_completing(environment()):
        hush()
    code = _run()
    if (lost := output_error()) is not None:
        code = _lost(lost)
    give_up(sys.stderr)
    sys.exit(code)


def _run() -> int:
    """The exit code, whatever comes."""
    try:
        command_line(_words())(prog_name=PROGRAM)
    except SystemExit as end:
        return _code(end)
    except Fault as fault:
        return _complain(fault, BAD_USAGE)
    except BootstrapError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        # That of the output is told by `main`; what else comes up to here was expected nowhere.
        return FAILED if output_error() else _complain(error.strerror or error, FAILED)
    return DONE


def _words() -> Sequence[str]:
    """What was typed; where a shell asks for a completion, on the line so far."""
    if not is_completing(environment()):
        return sys.argv[1:]
    return mend_line()[1:]


def _code(end: SystemExit) -> int:
    """typer's own, and rich's where a pipe was closed."""
    if end.code is None:
        return DONE
    return end.code if isinstance(end.code, int) else _complain(end.code, FAILED)


def _lost(error: OSError) -> int:
    """A pipe that was closed is how `head` says that it has enough: nothing is to be said."""
    give_up(sys.stdout)
    if error.errno == errno.EPIPE:
        return FAILED
    return _complain(f"standard output cannot be written: {error.strerror or error}", FAILED)


def _complain(error: object, code: int) -> int:
    try:
        for line in str(error).splitlines():
            print(f"bootstrap-controller: {line}", file=sys.stderr)
    except OSError:
        pass  # nobody can be told
    return code
