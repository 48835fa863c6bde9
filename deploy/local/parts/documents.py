"""The API documents as JSON, for tests that read no YAML. Runs in the tests' Python environment, which has PyYAML.

    python documents.py TARGET_DIRECTORY
"""

import json
import pathlib
import sys

import yaml

OPENAPI = pathlib.Path(__file__).resolve().parents[3] / "openapi"


def main() -> None:
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for path in OPENAPI.glob("*.yaml"):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        (target / f"{path.stem}.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
