#!/usr/bin/env python3
"""Everything `make test` does after the bootstrap, each step by name. Tests that fail do not keep the next step's from
running: the end names them all. Cleans up in any case.

    test.py                  all steps
    test.py --only pytest -- Tests/EndToEnd -k isolation    some steps; what follows `--` goes to the step's runner
    test.py --list           the steps' names
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from parts.collector import Collector
from parts.layout import REPOSITORY, SERVICES, Layout, StackError, free_port
from parts.processes import heed_make, say
from parts.stack import Stack, remove, sweep_old_tests

PRODUCTS = REPOSITORY / ".build/debug"
PYTHON = REPOSITORY / ".local/venv/bin/python"
STEPS = ("architecture", "format", "build", "swift", "flows", "pytest", "release")
ON_REQUEST = ("tsan", "kill-storm")
SHARED_MODULES = sorted(path.name for path in (REPOSITORY / "Shared").iterdir() if path.name != "CLibraries")
# The runners' own last words, repeated at the end.
SUMMARY_MARKS = ("Test run with", " passed in ", " passed, ", " failed in ", " failed, ")
# What a runner says of a single failure, repeated at the end as well: a reader who has only the end of a log has these.
FAILURE = re.compile(r"✘ .* recorded an issue|^(FAILED|ERROR) |: error: |ThreadSanitizer: ")
FAILURES_SHOWN, FAILURE_LENGTH = 20, 600


class Failed(Exception):
    pass


class Interrupted(Exception):
    pass


class Runner:
    def __init__(self, extra: list[str]):
        self.extra = extra
        self.summaries: list[str] = []
        self.failures: list[str] = []
        self.failed: list[str] = []
        self.current: subprocess.Popen | None = None

    def run(self, name: str, arguments: list, environment: dict[str, str] | None = None, needed: bool = False) -> None:
        """Runs one step, its output both shown and read for the summary line; one that others need ends the run by failing."""
        started = time.monotonic()
        say(f"\n=== {name}")
        self.current = subprocess.Popen(
            [str(argument) for argument in arguments], cwd=REPOSITORY, env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
        summary, failures = None, []
        assert self.current.stdout is not None
        for line in self.current.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            if any(mark in line for mark in SUMMARY_MARKS):
                summary = line.strip()
            if FAILURE.search(line):
                failures.append(f"{name}: {line.strip()[:FAILURE_LENGTH]}")
        status = self.current.wait()
        self.current = None
        if summary:
            self.summaries.append(f"{name}: {summary}")
        if status != 0:
            self.failures += failures
            self.failed.append(f"{name} failed (status {status})")
            say(f"--- {name}: FAILED after {time.monotonic() - started:.0f} s")
            if needed:
                raise Failed
            return
        say(f"--- {name}: {time.monotonic() - started:.0f} s")

    def end_current(self) -> None:
        if self.current is not None and self.current.poll() is None:
            os.killpg(self.current.pid, signal.SIGTERM)
            try:
                self.current.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.current.pid, signal.SIGKILL)
                self.current.wait()


def steps_before_stack(runner: Runner, steps: list[str]) -> None:
    if "architecture" in steps:
        runner.run("architecture", ["deploy/checks/architecture.py"])
    if "format" in steps:
        runner.run("format", ["swift", "format", "lint", "--strict", "--parallel", "--configuration", ".swift-format",
                              "--recursive", "Package.swift", "Services", "Shared", "Tests"])
    if "build" in steps:
        runner.run("build", ["swift", "build", "--build-tests"], needed=True)


def steps_after_stack(runner: Runner, steps: list[str]) -> None:
    # What the images hold: the optimiser may refuse, or crash on, what the debug build is content with.
    if "release" in steps:
        runner.run("release", ["swift", "build", "--configuration", "release", "--static-swift-stdlib"])


def steps_with_backends(runner: Runner, steps: list[str], stack: Stack) -> None:
    documents = stack.layout.directory / "openapi"
    subprocess.run([PYTHON, "deploy/local/parts/documents.py", documents], cwd=REPOSITORY, check=True)
    width = str(max(4, 2 * (os.cpu_count() or 2)))
    environment = {
        "TEST_POSTGRES_URL": stack.postgres.url(), "TEST_AMQP_URL": stack.rabbitmq.url,
        "TEST_PRODUCTS_DIR": str(PRODUCTS), "TEST_OPENAPI_DIR": str(documents),
        "SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH": width,
    }
    test = ["swift", "test", "--skip-build"]
    if "swift" in steps:
        stack.rabbitmq.wait_until_ready()
        runner.run("swift", [*test, "--skip", "FlowTests", *runner.extra], environment)
    if "tsan" in steps:
        stack.rabbitmq.wait_until_ready()
        sanitised = ["swift", "test", "--sanitize=thread", "--scratch-path", ".build/tsan"]
        loops = environment | {"STRESS_LOOPS": os.environ.get("STRESS_LOOPS", "100")}
        # A process each: under the sanitiser two cores are too few for every module's stress tests at once.
        for module in SHARED_MODULES:
            if (REPOSITORY / f"Tests/{module}Tests").is_dir():
                runner.run(f"tsan {module}", [*sanitised, "--filter", f"^{module}Tests\\.", *runner.extra], loops)
    if set(steps) & {"flows", "pytest", "kill-storm"}:
        say("\n=== stack: the five executables and the sandbox")
        collector = Collector(stack.layout.directory, free_port())
        stack.start_services(PRODUCTS, test_settings(stack, collector))
        environment["STACK_ENV_FILE"] = str(stack.layout.run_env)
    if "flows" in steps:
        runner.run("flows", [*test, "--filter", "FlowTests", *runner.extra], environment)
    if "pytest" in steps:
        runner.run("pytest", [PYTHON, "-m", "pytest", *(runner.extra or ["Tests/EndToEnd"])], environment)
    if "kill-storm" in steps:
        runner.run("kill storm", [PYTHON, "Tests/EndToEnd/kill_storm.py", *runner.extra], environment)


def test_settings(stack: Stack, collector: Collector) -> dict[str, dict[str, str]]:
    """Models and pictures are the sandbox's, spans go to the stub collector, and budgets are out of the way."""
    common = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    settings = {service.product: dict(common) for service in SERVICES}
    settings["agent-center"] |= {
        "OPENAI_BASE_URL": f"{stack.layout.url('sandbox')}/openai/v1", "OPENAI_API_KEY": "sandbox", "OPENAI_DIALECT": "openai"}
    settings["orchestration-service"] |= {
        "IMAGE_BASE_URL": f"{stack.layout.url('sandbox')}/openai/v1", "IMAGE_API_KEY": "sandbox", "IMAGE_MODEL": "sandbox-image",
        "IMAGE_TIMEOUT": "8s",
    }
    settings["content-center"] |= {
        "ASR_BASE_URL": f"{stack.layout.url('sandbox')}/openai/v1", "ASR_API_KEY": "sandbox", "ASR_MODEL": "sandbox-whisper"}
    settings["gateway-bff"] |= {"RATE_LIMIT_SCALE": "1000"}
    return settings


def interrupt(number, frame):
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=STEPS + ON_REQUEST)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("extra", nargs="*")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(STEPS + ON_REQUEST))
        return 0
    steps = arguments.only or list(STEPS)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, interrupt)
    heed_make()

    started = time.monotonic()
    runner, stack, layout = Runner(arguments.extra), None, None
    try:
        steps_before_stack(runner, steps)
        if set(steps) - {"architecture", "format", "build", "release"}:
            local = REPOSITORY / ".local"
            local.mkdir(exist_ok=True)
            sweep_old_tests(local)
            layout = Layout.for_tests(pathlib.Path(tempfile.mkdtemp(prefix="test-", dir=local)))
            stack = Stack(layout, for_tests=True)
            stack.start_backends()
            steps_with_backends(runner, steps, stack)
        steps_after_stack(runner, steps)
    except Failed:
        pass
    except StackError as error:
        runner.failed.append(str(error))
    except Interrupted:
        runner.failed.append("interrupted")
    finally:
        runner.end_current()
        if stack is not None:
            stack.stop()
        if layout is not None:
            keep_or_remove(layout, bool(runner.failed))
    for failure in runner.failures[:FAILURES_SHOWN]:
        say(failure)
    say(f"\n{', '.join(steps)}: {'FAILED' if runner.failed else 'passed'} after {time.monotonic() - started:.0f} s")
    for summary in runner.summaries:
        say(summary)
    for failed in runner.failed:
        say(f"FAILED: {failed}")
    return 1 if runner.failed else 0


def keep_or_remove(layout: Layout, failed: bool) -> None:
    """The databases always go; after a failure the logs stay until the next run."""
    kept = REPOSITORY / ".local/test-logs"
    shutil.rmtree(kept, ignore_errors=True)
    if failed and layout.logs.exists():
        shutil.move(layout.logs, kept)
        say(f"the stack's logs: {kept.relative_to(REPOSITORY)}/")
    remove(layout)


if __name__ == "__main__":
    sys.exit(main())
