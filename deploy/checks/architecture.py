#!/usr/bin/env python3
"""The rules of the house that a compiler does not know. Prints each breach as `file:line: rule` and fails if there is one.

    architecture.py [--root DIRECTORY]
"""

import argparse
import pathlib
import re
import sys

C_LIBRARY_OWNERS = {
    "CMicrohttpd": "Shared/HTTPServing",
    "CCurl": "Shared/HTTPCalling",
    "CPostgres": "Shared/PostgresStore",
    "CRabbitMQ": "Shared/Messaging",
    "COpenSSL": "Shared/Cryptography",
    "CArgon2": "Shared/Cryptography",
    "CArchive": "Shared/Archiving",
    "CEpoll": "Shared/ConcurrencySupport",
    "CSpawn": "Shared/ChildProcesses",
}
SERVICE_MODULES = {
    "gateway-bff": "GatewayBFF",
    "orchestration-service": "OrchestrationService",
    "agent-center": "AgentCenter",
    "content-center": "ContentCenter",
    "delivery-connector-douyin": "DeliveryConnectorDouyin",
}
# A flow's folder: these files touch the wire, the database or the broker; all others only tell the story.
OUTER_FLOW_FILES = re.compile(r"(Routes|Store|Consumers?)\.swift$")
OUTER_MODULES = {"HTTPServing", "PostgresStore", "Messaging", *C_LIBRARY_OWNERS}
# The story itself, `Flows/X/X.swift`, knows no client either; a helper beside it may.
CLIENT_MODULES = {"HTTPCalling"}
# Stored instants come from app_now(), which tests can move; what makes app_now() is here.
CLOCK_OWNER = "Shared/PostgresStore/Schema/"
OTHER_CLOCK = re.compile(
    r"\b(?:now\s*\(|(?:clock|statement|transaction|current)_timestamp\b|localtimestamp\b|current_(?:date|time)\b|localtime\b|timeofday\b)",
    re.IGNORECASE)
# Swift's texts, those of several lines first; what is put into a text from outside of it is no SQL.
TEXT = re.compile(r'(#*)"""(.*?)"""\1|(#*)"((?:[^"\\\n]|\\.)*)"\3', re.DOTALL)
PUT_IN = re.compile(r"\\#*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
COMMENT = re.compile(r"^\s*(?://|--).*$", re.MULTILINE)
LINE_LIMIT = 500
SOURCE_SUFFIXES = {".swift", ".py", ".sh", ".ts"}

IMPORT = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
                    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)")
EXPECTATION = re.compile(r"#expect|#require|XCTAssert|confirmation\(|Issue\.record")


def imports(path: pathlib.Path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := IMPORT.match(line):
            yield number, match.group(1)


def swift_files(root: pathlib.Path, *folders: str):
    for folder in folders:
        yield from sorted((root / folder).rglob("*.swift"))


def breaches(root: pathlib.Path):
    """Yields (path, line, rule) for everything that is not as agreed."""
    for path in swift_files(root, "Shared", "Services", "Tests"):
        relative = path.relative_to(root).as_posix()
        for line, module in imports(path):
            yield from import_breaches(relative, line, module)
    yield from length_breaches(root)
    yield from clock_breaches(root)
    for path in swift_files(root, "Tests"):
        if path.name.endswith("Tests.swift") and not EXPECTATION.search(path.read_text(encoding="utf-8")):
            yield path.relative_to(root).as_posix(), 1, "a test file that expects nothing"


def import_breaches(relative: str, line: int, module: str):
    owner = C_LIBRARY_OWNERS.get(module)
    if owner and not relative.startswith(owner + "/"):
        yield relative, line, f"{module} is imported by {owner} alone"
    parts = relative.split("/")
    in_services = parts[0] == "Services"
    if in_services:
        for folder, service in SERVICE_MODULES.items():
            if module == service and parts[1] != folder:
                yield relative, line, f"a service imports no other service ({service})"
    if module == "Foundation" and parts[0] in ("Shared", "Services"):
        yield relative, line, "FoundationEssentials, not Foundation: it costs memory and start-up time"
    if parts[0] == "Shared" and module in SERVICE_MODULES.values():
        yield relative, line, "Shared/ knows no service"
    if in_services and "Flows" in parts[:-1] and not OUTER_FLOW_FILES.search(parts[-1]):
        is_story = parts[-1] == f"{parts[-2]}.swift"
        if module in OUTER_MODULES or (is_story and module in CLIENT_MODULES):
            yield relative, line, f"a flow's story imports no HTTP, no SQL, no messaging, no C ({module})"


def clock_breaches(root: pathlib.Path):
    """SQL that reads another clock than app_now()."""
    for path in swift_files(root, "Shared", "Services"):
        relative = path.relative_to(root).as_posix()
        if relative.startswith(CLOCK_OWNER):
            continue
        source = path.read_text(encoding="utf-8")
        plain = source
        for other in (COMMENT, PUT_IN):
            plain = other.sub(lambda found: " " * len(found.group()), plain)
        for text in TEXT.finditer(plain):
            for clock in OTHER_CLOCK.finditer(text.group()):
                line = source.count("\n", 0, text.start() + clock.start()) + 1
                yield relative, line, f"SQL takes the time from app_now(), not from {clock.group().rstrip('( ')}"


def length_breaches(root: pathlib.Path):
    for folder in ("Shared", "Services", "Tests", "deploy"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SOURCE_SUFFIXES and path.is_file():
                with open(path, encoding="utf-8") as file:
                    count = sum(1 for _ in file)
                if count > LINE_LIMIT:
                    yield path.relative_to(root).as_posix(), count, f"more than {LINE_LIMIT} lines"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    found = list(breaches(parser.parse_args().root.resolve()))
    for path, line, rule in found:
        print(f"{path}:{line}: {rule}")
    print(f"architecture: {len(found)} breaches" if found else "architecture: as agreed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
