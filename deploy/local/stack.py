#!/usr/bin/env python3
"""The local stack of `make run` and `make stop`.

    stack.py run     build, start everything, show one title generation, stay up until Ctrl-C
    stack.py stop    end a stack that is still there
    stack.py clean   the same, and delete its databases, queues, keys and the tests' Python environment

Its data is in .local, or in STACK_DIRECTORY; other ports than the usual are set by GATEWAY_PORT, SANDBOX_PORT and so on.
"""

import os
import signal
import subprocess
import sys
import threading

from parts.demo import generate_titles, show_titles, sign_in
from parts.layout import REPOSITORY, Layout, StackError
from parts.processes import MARK, heed_make, say
from parts.stack import Stack, remove, stop_leftover, sweep_old_tests


class Interrupted(Exception):
    """Ctrl-C, SIGTERM or a closed terminal."""


def interrupt(number, frame):
    # Once is enough: what follows is an orderly stop that must not be interrupted half-way.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted


def build(layout: Layout) -> str:
    configuration = os.environ.get("CONFIGURATION", "debug")
    process = subprocess.Popen(
        ["swift", "build", "--configuration", configuration], cwd=REPOSITORY, start_new_session=True,
        env={**os.environ, MARK: str(layout.directory)})
    try:
        if process.wait() != 0:
            raise StackError("swift build failed")
    except BaseException:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
        raise
    return configuration


def run() -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, interrupt)
    heed_make()
    stack = None
    try:
        layout = Layout.for_run()
        configuration = build(layout)
        stack = Stack(layout)
        say("starting PostgreSQL and RabbitMQ")
        stack.start_backends()
        say("starting the sandbox and the five services")
        stack.start_services(REPOSITORY / ".build" / configuration)
        gateway = layout.url("gateway-bff")
        show_titles(generate_titles(gateway, sign_in(gateway, stack.demo["DEMO_EMAIL"], stack.demo["DEMO_PASSWORD"])))
        stack.show_where()
        say("\n  up; Ctrl-C stops everything")
        threading.Event().wait()
    except Interrupted:
        say("\nstopping")
    finally:
        if stack is not None:
            stack.stop()
            say("stopped")


def main() -> int:
    command = sys.argv[1:]
    try:
        if command == ["run"]:
            run()
        elif command == ["stop"]:
            stop_leftover(Layout.for_run())
        elif command == ["clean"]:
            layout = Layout.for_run()
            stop_leftover(layout)
            sweep_old_tests(layout.directory)
            remove(layout)
        else:
            print(__doc__.strip(), file=sys.stderr)
            return 64
    except StackError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
