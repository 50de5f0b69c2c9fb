"""`bootstrap-controller`: the commands, and what their failures mean for the exit code."""

import sys
from typing import Annotated

import typer

from controller.base.errors import BootstrapError, Fault
from controller.cli.demo import demo
from controller.cli.evidence import evidence
from controller.cli.explain import explain
from controller.cli.history import history
from controller.cli.levers import abort, end_hold, queue_build, resume, retest, suspend
from controller.cli.run import run
from controller.cli.status import status
from controller.process.wiring import our_version

DONE, FAILED, BAD_USAGE, NOTHING_FOUND = 0, 1, 2, 3

app = typer.Typer(
    name="bootstrap-controller",
    help="Continuous bootstrap testing of avalanchego nodes on Kubernetes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they show the values of variables, and so secrets
    add_completion=False,
    rich_markup_mode=None,
)
for command in (run, status, explain, history, evidence, demo):
    app.command()(command)
for lever in (suspend, resume, retest, abort, end_hold):
    app.command()(lever)
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
    """Runs the command that was typed and exits: 0 done, 1 failed, 2 bad usage or settings, 3
    nothing found.
    """
    try:
        app()
    except Fault as fault:
        _complain(fault)
        sys.exit(BAD_USAGE)
    except BootstrapError as error:
        _complain(error)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell has it for SIGINT


def _complain(error: BootstrapError) -> None:
    for line in str(error).splitlines():
        print(f"bootstrap-controller: {line}", file=sys.stderr)
