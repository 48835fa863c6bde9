"""`deploy/checks/architecture.py` passes on this tree and finds each breach when there is one."""

import importlib.util
import pathlib

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("architecture", REPOSITORY / "deploy/checks/architecture.py")
architecture = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(architecture)


def test_this_tree_is_as_agreed():
    assert list(architecture.breaches(REPOSITORY)) == []


@pytest.mark.parametrize("path, text, rule", [
    ("Shared/Jobs/A.swift", "internal import CPostgres\n", "CPostgres is imported by"),
    ("Services/agent-center/A.swift", "@testable import ContentCenter\n", "imports no other service"),
    ("Services/agent-center/A.swift", "public import Foundation\n", "FoundationEssentials"),
    ("Services/agent-center/Flows/X/X.swift", "import HTTPServing\n", "a flow's story"),
    ("Services/agent-center/Flows/X/X.swift", "import HTTPCalling\n", "a flow's story"),
    ("Services/agent-center/Flows/X/XInput.swift", "import PostgresStore\n", "a flow's story"),
    ("Shared/Jobs/Long.swift", "//\n" * 501, "more than 500 lines"),
    ("Services/agent-center/XStore.swift", 'let sql = "DELETE FROM a WHERE at < now()"\n', "app_now()"),
    ("Shared/Jobs/A.swift", 'let sql = """\n    SELECT "a" \\(b) FROM c\n    WHERE at < CURRENT_TIMESTAMP\n    """\n', "app_now()"),
    ("Tests/JobsTests/EmptyTests.swift", "import Testing\n", "expects nothing"),
])
def test_each_breach_is_found(tmp_path, path, text, rule):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert [rule in found[2] for found in architecture.breaches(tmp_path)] == [True]


def test_swifts_own_clocks_are_no_sql(tmp_path):
    file = tmp_path / "Services/agent-center/A.swift"
    file.parent.mkdir(parents=True)
    file.write_text('let a = now() + clock.now()\n// "now()"\nlet b = "x \\(now()) \\(f(now(), "y")) app_now()"\nlet c = """\n    -- now()\n    """\n')
    assert list(architecture.breaches(tmp_path)) == []


def test_outer_files_of_a_flow_may_touch_the_world(tmp_path):
    for name in ("XRoutes.swift", "XStore.swift", "XConsumer.swift"):
        file = tmp_path / "Services/agent-center/Flows/X" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("import HTTPServing\nimport PostgresStore\nimport Messaging\n")
    assert list(architecture.breaches(tmp_path)) == []
