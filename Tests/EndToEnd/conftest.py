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
    """The storm comes last: until then nothing but itself may disturb the stack."""
    items.sort(key=lambda item: "kill_storm" in item.nodeid)
