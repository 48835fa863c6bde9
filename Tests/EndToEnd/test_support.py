"""What a test that fails leaves in a log."""


def test_no_password_is_printed_with_a_failure(stack, member):
    shown = repr((stack, member))
    known = {*stack.secrets.values(), *(value for key, value in stack.env.items() if "PASSWORD" in key or "DATABASE_URL" in key)}
    assert known and member.login["accessToken"] and member.email in shown
    found = [name for name in (*known, member.password, member.login["accessToken"]) if name in shown]
    # Their number, not themselves.
    assert len(found) == 0
