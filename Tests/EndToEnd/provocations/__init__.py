"""Answers that no other test has a reason to provoke, one module per area of the API. Each has `provoke(stack, member)`."""

import importlib
import pkgutil

TOO_LARGE = b'{"topic": "' + b"a" * 3_000_000 + b'"}'
AS_JSON = {"Content-Type": "application/json"}

AREAS = [importlib.import_module(f".{module.name}", __name__) for module in pkgutil.iter_modules(__path__)]
