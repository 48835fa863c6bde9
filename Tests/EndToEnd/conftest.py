"""Fixtures: the stack and two members of two tenants, signed in once per run."""

import pytest

from support import Member, Stack


@pytest.fixture(scope="session")
def stack() -> Stack:
    return Stack.from_environment()


@pytest.fixture(scope="session")
def member(stack) -> Member:
    return Member(stack, stack.env["DEMO_EMAIL"], stack.env["DEMO_PASSWORD"]).sign_in()


@pytest.fixture(scope="session")
def stranger(stack) -> Member:
    """Of the other tenant."""
    return Member(stack, stack.env["DEMO2_EMAIL"], stack.env["DEMO2_PASSWORD"]).sign_in()


def pytest_collection_modifyitems(items):
    """First what provokes answers, of that last what leaves random things behind; then the look at which were given, last what harms the
    stack: nothing else may need it unharmed."""
    order = ("test_schemathesis", "test_status_codes", "test_media_killed", "test_leaderless_queue", "test_kill_storm")
    items.sort(key=lambda item: next((index + 1 for index, name in enumerate(order) if name in item.nodeid), 0))
