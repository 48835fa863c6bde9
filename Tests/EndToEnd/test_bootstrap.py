"""deploy/local/bootstrap on machines that are not this one, by programs that only take notes in the way of the real ones."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

import pytest

from support import REPOSITORY

BOOTSTRAP = REPOSITORY / "deploy/local/bootstrap"
PACKAGES = re.findall(r"[\w.+-]+", re.sub(r"#.*", "", re.search(r"^packages=\((.*?)^\)", BOOTSTRAP.read_text(), re.M | re.S)[1]))

POLICY = "/usr/sbin/policy-rc.d"


@pytest.fixture
def machine() -> Iterator[pathlib.Path]:
    """A folder, where everybody may look, with all of PATH: what the script needs besides, and programs that note how they were called."""
    with tempfile.TemporaryDirectory(prefix="bootstrap-", dir="/var/tmp") as name:
        machine = pathlib.Path(name)
        machine.chmod(0o755)
        equip(machine)
        yield machine


def equip(machine: pathlib.Path) -> None:
    programs = machine / "bin"
    programs.mkdir()
    for name in ("bash", "env", "dirname", "cat"):
        (programs / name).symlink_to(shutil.which(name))
    stub(programs, "swift", "echo 'Swift version 6.3.1 (swift-6.3.1-RELEASE)'")
    stub(programs, "dpkg-query", 'package=${@: -1}; [[ " $INSTALLED " == *" $package "* ]] || exit 1; printf installed')
    for name in ("apt-get", "tee", "chmod", "rm"):
        stub(programs, name, "")
    # Runs what it is given: that, too, is only noted.
    stub(programs, "sudo", 'exec "$@"')
    # A copy, since the checkout may be where nobody but its owner can look; and one that asks for no file of this machine's.
    copy = machine / "checkout/deploy/local/bootstrap"
    copy.parent.mkdir(parents=True)
    text = BOOTSTRAP.read_text()
    assert text.count(POLICY) == 1
    copy.write_text(text.replace(POLICY, "/nonexistent/policy-rc.d"))


def stub(programs: pathlib.Path, name: str, does: str) -> None:
    path = programs / name
    # What comes in is read, or the writer would end by a signal.
    path.write_text(f'#!{shutil.which("bash")}\necho "{name} $*" >>"$NOTES"\n{does}\n')
    path.chmod(0o755)


def bootstrap(machine: pathlib.Path, installed: list[str], *, root: bool, arguments: tuple[str, ...] = ()):
    """As root or as nobody, whoever runs the tests; and what was called."""
    notes = machine / "notes"
    notes.write_text("")
    if os.geteuid() == 0 and not root:
        notes.chmod(0o666)
        account = {"user": 65534, "group": 65534, "extra_groups": []}
    elif os.geteuid() != 0 and root:
        pytest.skip("only root can be root")
    else:
        account = {}
    result = subprocess.run(
        [shutil.which("bash"), str(machine / "checkout/deploy/local/bootstrap"), *arguments], cwd=machine, capture_output=True,
        text=True, timeout=120, check=False, env={"PATH": str(machine / "bin"), "NOTES": str(notes), "INSTALLED": " ".join(installed)}, **account)
    return result, [line for line in notes.read_text().splitlines() if not line.startswith(("dpkg-query", "swift"))]


@pytest.mark.parametrize("root", [True, False], ids=["root", "somebody"])
def test_with_everything_there_nothing_is_touched(machine, root):
    result, called = bootstrap(machine, PACKAGES, root=root)
    assert (result.returncode, called, result.stdout) == (0, [], ""), result.stderr


def test_what_is_missing_is_installed_by_root_itself(machine):
    result, called = bootstrap(machine, [name for name in PACKAGES if name not in ("ffmpeg", "libpq-dev")], root=True)
    assert result.returncode == 0, result.stderr
    assert not any(line.startswith("sudo") for line in called)
    assert [line.split(" ", 1)[1] for line in called if line.startswith("apt-get")] == [
        "-q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update",
        "-q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install --no-install-recommends libpq-dev ffmpeg",
    ]


def test_somebody_else_installs_by_sudo(machine):
    result, called = bootstrap(machine, [name for name in PACKAGES if name != "ffmpeg"], root=False)
    assert result.returncode == 0, result.stderr
    assert sum(line.startswith("sudo env DEBIAN_FRONTEND=noninteractive apt-get") for line in called) == 2
    assert any(line.startswith("apt-get") and line.endswith("install --no-install-recommends ffmpeg") for line in called)


def test_without_root_and_sudo_it_says_what_is_missing(machine):
    (machine / "bin/sudo").unlink()
    result, called = bootstrap(machine, [name for name in PACKAGES if name != "ffmpeg"], root=False)
    assert result.returncode == 77 and "neither root nor sudo" in result.stderr and result.stderr.rstrip().endswith(": ffmpeg")
    assert called == []


def test_no_service_of_the_packages_own_starts(machine):
    """While packages are installed policy-rc.d says so, and afterwards it is gone."""
    _, called = bootstrap(machine, [], root=False)
    mine = [line for line in called if "policy-rc.d" in line and not line.startswith("sudo")]
    assert mine == ["tee /nonexistent/policy-rc.d", "chmod 755 /nonexistent/policy-rc.d", "rm -f /nonexistent/policy-rc.d"]
    install = next(index for index, line in enumerate(called) if line.startswith("apt-get") and " install " in line)
    assert called.index(mine[1]) < install < called.index(mine[2])


@pytest.mark.parametrize("version, status", [("6.2.4", 69), ("6.3", 0), ("7.0", 0)])
def test_an_old_toolchain_is_refused(machine, version, status):
    stub(machine / "bin", "swift", f"echo 'Swift version {version} (swift-{version}-RELEASE)'")
    result, _ = bootstrap(machine, PACKAGES, root=os.geteuid() == 0)
    assert result.returncode == status
    assert status == 0 or f"this is Swift version {version}" in result.stderr
