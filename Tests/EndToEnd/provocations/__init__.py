"""Answers that no other test has a reason to provoke, one module per area of the API. Each has `provoke(stack, member)`."""

TOO_LARGE = b'{"topic": "' + b"a" * 3_000_000 + b'"}'
AS_JSON = {"Content-Type": "application/json"}

from . import catalogue, contents, identity, runs, stream, titles  # noqa: E402

AREAS = [identity, catalogue, titles, runs, contents, stream]
