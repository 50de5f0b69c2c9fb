"""Starts `python -m controller` by forking: everything is imported once, for hundreds of commands.
Each of them is a process of its own all the same, with its own environment, folder, output and
exit code.

Run as `python -m tests.command_forker PATH`: listens on that unix socket, says so, and ends with
its standard input. A request is one message: JSON of words, environ and folder, with the
descriptors of standard output and error. The answer is the exit code, in one line, once the command
has ended.
"""

import importlib
import os
import pkgutil
import select
import socket
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import orjson

import controller.cli
from controller.cli.main import main

LONGEST = 1 << 20  # bytes of a request


def serve(path: str) -> None:
    for module in pkgutil.iter_modules(controller.cli.__path__):
        importlib.import_module(f"controller.cli.{module.name}")
    importlib.import_module("controller.kube.login.kubeconfig.credentials")  # the slowest of all
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        while sys.stdin not in select.select([sys.stdin, listener], [], [])[0]:
            _bury(os.WNOHANG)
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _see_to(connection)
            connection.close()
    _bury(0)


def _bury(options: int) -> None:
    """Waits for those that have ended, or for all: what they cost counts as this process's."""
    try:
        while os.waitpid(-1, options)[0]:
            pass
    except ChildProcessError:  # there are none
        pass


def _see_to(connection: socket.socket) -> NoReturn:
    """Runs what is asked for, and says how it ended."""
    message, descriptors, _, _ = socket.recv_fds(connection, LONGEST, 2)
    pid = os.fork()
    if pid == 0:
        connection.close()
        _become(orjson.loads(message), *descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(asked: dict[str, object], out: int, err: int) -> NoReturn:
    """The command itself."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for own, descriptor in enumerate((nothing, out, err)):
        os.dup2(descriptor, own)
    os.closerange(3, 64)
    words, environ, folder = asked["words"], asked["environ"], asked["folder"]
    assert isinstance(words, list)
    assert isinstance(environ, dict)
    os.chdir(str(folder))
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = [str(Path(controller.cli.__path__[0]).parent / "__main__.py"), *words]
    sys.modules["__main__"].__package__ = "controller"  # as with -m: usage names it so
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 as the interpreter does it at its end
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1 if code else 0)


if __name__ == "__main__":
    serve(sys.argv[1])
