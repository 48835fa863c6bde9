"""`make bench-compliance`: nanoseconds per character of the compliance check, optimised, from the service's own sources."""

import pathlib
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SERVICE = REPOSITORY / "Services/agent-center"
MODULES = {"DTO": sorted((REPOSITORY / "Shared/DTO").glob("*.swift")), "ConcurrencySupport": [REPOSITORY / "Shared/ConcurrencySupport/Lock.swift"]}
SOURCES = [*sorted((SERVICE / "Flows/Compliance").glob("*.swift")), SERVICE / "Domain/Characters.swift",
           pathlib.Path(__file__).with_suffix(".swift")]


def compile_with(folder: pathlib.Path, *arguments) -> None:
    subprocess.run(["swiftc", "-O", "-wmo", "-parse-as-library", "-swift-version", "6", *map(str, arguments)], cwd=folder, check=True)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for module, sources in MODULES.items():
            compile_with(folder, "-static", "-emit-library", "-emit-module", "-module-name", module, *sources)
        compile_with(folder, "-I", folder, "-L", folder, *(f"-l{module}" for module in MODULES), *SOURCES, "-o", folder / "bench")
        return subprocess.run([folder / "bench"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
