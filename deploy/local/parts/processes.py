"""Child processes: started, watched, started again when they die, ended for certain."""

import ctypes
import os
import pathlib
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import Callable

from .layout import Layout, StackError

# Every process of a stack carries this variable, so that a stack that was killed itself can still be swept up.
MARK = "LOCAL_STACK_DIRECTORY"


def say(text: str) -> None:
    print(text, flush=True)


@dataclass
class Managed:
    name: str
    start: Callable[[], subprocess.Popen]
    stop_signal: Callable[[], int] = lambda: signal.SIGTERM
    stop_seconds: float = 25
    before_restart: Callable[[], None] = lambda: None
    process: subprocess.Popen | None = None
    started_at: float = 0
    quick_deaths: int = 0
    not_before: float = 0
    restarts: int = 0


@dataclass
class Supervisor:
    """Watches from a thread of its own. `stop` ends everything in reverse order of `add`."""

    layout: Layout
    managed: list[Managed] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)
    thread: threading.Thread | None = None

    def add(self, item: Managed) -> None:
        with self.lock:
            self.managed.append(item)
            self._start(item)
        if self.thread is None:
            self.thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
            self.thread.start()

    def _start(self, item: Managed) -> None:
        item.process = item.start()
        item.started_at = time.monotonic()
        write_atomically(self.layout.pids / item.name, f"{item.process.pid}\n")

    def _watch(self) -> None:
        while not self.stopping.wait(0.05):
            with self.lock:
                for item in self.managed:
                    if self.stopping.is_set():
                        return
                    self._look_after(item)

    def _look_after(self, item: Managed) -> None:
        now = time.monotonic()
        if item.process is not None:
            status = item.process.poll()
            if status is None:
                return
            item.process = None
            # One that ends by itself within two seconds of its start waits longer each time, five seconds at most.
            is_quick = now - item.started_at < 2 and status != -signal.SIGKILL
            item.quick_deaths = item.quick_deaths + 1 if is_quick else 0
            delay = 0 if item.quick_deaths == 0 else min(5.0, 0.2 * 2 ** (item.quick_deaths - 1))
            item.not_before = now + delay
            end = f"killed by signal {-status}" if status < 0 else f"ended with status {status}"
            say(f"{item.name} {end}; starting it again" + (f" in {delay:.1f} s" if delay else ""))
        if now >= item.not_before:
            try:
                item.before_restart()
                item.restarts += 1
                self._start(item)
            except (OSError, StackError) as error:
                say(f"{item.name} could not be started: {error}")
                item.not_before = now + 1

    def pid(self, name: str) -> int | None:
        with self.lock:
            for item in self.managed:
                if item.name == name and item.process is not None:
                    return item.process.pid
        return None

    def keeps_dying(self, name: str) -> bool:
        """Whether it ended four times in a row right after its start: waiting longer will not help."""
        with self.lock:
            return any(item.name == name and item.quick_deaths >= 4 for item in self.managed)

    def stop(self, names: set[str] | None = None) -> None:
        """Ends everything (or those named): the stop signal, then SIGKILL after the grace time."""
        if names is None:
            self.stopping.set()
            if self.thread is not None and self.thread is not threading.current_thread():
                self.thread.join()
        with self.lock:
            ending = [item for item in reversed(self.managed) if names is None or item.name in names]
            self.managed = [item for item in self.managed if item not in ending]
            for item in ending:
                end_process(item)
                (self.layout.pids / item.name).unlink(missing_ok=True)


def end_process(item: Managed) -> None:
    process = item.process
    if process is None:
        return
    if process.poll() is None:
        process.send_signal(item.stop_signal())
        try:
            process.wait(item.stop_seconds)
        except subprocess.TimeoutExpired:
            say(f"{item.name} did not stop within {item.stop_seconds:.0f} s and was killed")
            process.kill()
            process.wait()
    item.process = None


def launch(
    layout: Layout, name: str, arguments: list[str], environment: dict[str, str], *,
    user: str | None = None, directory: pathlib.Path | None = None, fresh_log: bool = False,
) -> subprocess.Popen:
    """Starts a child in a session of its own (Ctrl-C at the terminal reaches only us), output to `logs/<name>.log`."""
    log = layout.logs / f"{name}.log"
    account: dict = {}
    if user is not None:
        import grp
        import pwd

        entry = pwd.getpwnam(user)
        account = {"user": user, "group": grp.getgrgid(entry.pw_gid).gr_name, "extra_groups": []}
    with open(log, "wb" if fresh_log else "ab") as output:
        return subprocess.Popen(
            arguments, env={**environment, MARK: str(layout.directory)}, cwd=directory or layout.directory,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, umask=0o077, **account)


def write_atomically(path: pathlib.Path, text: str, mode: int = 0o644) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
    os.replace(temporary, path)


def wait_until(condition: Callable[[], bool], seconds: float, what: str, every: float = 0.05) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise StackError(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)


def all_pids() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def pids_with_mark(directory: pathlib.Path) -> list[int]:
    wanted = f"{MARK}={directory}".encode()
    found = []
    for pid in all_pids():
        try:
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if pid != os.getpid() and wanted in environment.split(b"\0"):
            found.append(pid)
    return found


def pids_working_in(directory: pathlib.Path) -> list[int]:
    found = []
    for pid in all_pids():
        try:
            if os.readlink(f"/proc/{pid}/cwd") == str(directory.resolve()):
                found.append(pid)
        except OSError:
            continue
    return found


def kill_all(find: Callable[[], list[int]], what: str, first: int = signal.SIGKILL) -> int:
    """Signals what `find` finds until it finds nothing; returns how many there were at first."""
    number, count, end = first, len(find()), time.monotonic() + 10
    while pids := find():
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        if time.monotonic() > end:
            raise StackError(f"{what}: processes {pids} cannot be ended")
        time.sleep(0.05)
        if time.monotonic() > end - 7:
            number = signal.SIGKILL
    return count


def heed_make() -> None:
    """Makes sure that we end when our `make` does. A terminal's Ctrl-C reaches both of us and SIGTERM is passed on by make; but an
    interrupt sent to make alone it keeps to itself and waits for us, and killed outright it says nothing."""
    parent = os.getppid()
    if _status(parent, "Name") != "make":
        return
    bit = 1 << (signal.SIGINT - 1)

    def is_caught() -> bool:
        return bool(int(_status(parent, "SigCgt") or "0", 16) & bit)

    # Make gives its handler up when it is interrupted. In the background of a script it has none from the start.
    was_caught = is_caught()

    def watch() -> None:
        while os.getppid() == parent and (is_caught() or not was_caught):
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, name="make", daemon=True).start()


def _status(pid: int, key: str) -> str | None:
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return None


def adopt_orphans() -> None:
    """Makes us the parent of our children's orphans (epmd, RabbitMQ's helpers), so that we can also collect them."""
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def collect_orphans() -> None:
    """Only once every child of our own has been waited for."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
