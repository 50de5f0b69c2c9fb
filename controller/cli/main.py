"""`bootstrap-controller`: the commands, and what their failures mean for the exit code."""

import sys
from typing import Annotated

import typer

from controller.base.errors import BootstrapError, Fault
from controller.cli.demo import demo
from controller.cli.evidence import evidence
from controller.cli.exit_codes import BAD_USAGE, DONE, FAILED, INTERRUPTED
from controller.cli.explain import explain
from controller.cli.explain_log import explain_log_command
from controller.cli.history import history
from controller.cli.levers import LEVERS, command_of, queue_build
from controller.cli.monitor import monitor
from controller.cli.run import run
from controller.cli.status import status
from controller.process.wiring import our_version

app = typer.Typer(
    name="bootstrap-controller",
    help="Continuous bootstrap testing of avalanchego nodes on Kubernetes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they show the values of variables, and so secrets
    add_completion=False,
    rich_markup_mode=None,
)
for command in (run, monitor, status, explain, history, evidence, demo):
    app.command()(command)
app.command("explain-log")(explain_log_command)
for lever in LEVERS:
    app.command(lever.name, help=lever.help)(command_of(lever))
app.command("test-build")(queue_build)  # no function of ours is named test_


def _version(wanted: bool) -> None:
    if wanted:
        print(our_version())
        raise typer.Exit(DONE)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="print the version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Continuous bootstrap testing of avalanchego nodes on Kubernetes."""


def main() -> None:
    """Runs the command that was typed, and exits."""
    try:
        app()
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
