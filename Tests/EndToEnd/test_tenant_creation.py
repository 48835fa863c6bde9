"""`gateway-bff create-tenant` and `create-administrator`: how an installation gets its first tenant, and whoever sets prices."""

import os
import pathlib
import subprocess
import uuid
from urllib.parse import urlsplit

import requests

from support import Member, assert_problem

PASSWORD = "a passphrase of somebody"


def create(
    stack, *arguments: str, command: str = "create-tenant", password: str | None = None, **settings: str,
) -> subprocess.CompletedProcess:
    """The command with the settings of the gateway that runs, and the owner's address."""
    pid = stack.pid("gateway-bff")
    running = dict(entry.split("=", 1) for entry in pathlib.Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in entry)
    server = urlsplit(running["DATABASE_URL"])
    owner = f"postgres://gateway_owner:{stack.secrets['gateway.owner.password']}@{server.hostname}:{server.port}{server.path}"
    return subprocess.run(
        [os.readlink(f"/proc/{pid}/exe"), command, *arguments], env=running | {"OWNER_DATABASE_URL": owner} | settings,
        input=password or "", capture_output=True, text=True, timeout=120, check=False)


def test_a_tenant_is_made_and_its_owner_works(stack, tmp_path):
    name, email = f"新企业{uuid.uuid4().hex[:8]}", f"{uuid.uuid4().hex[:8]}@example.com"
    made = create(stack, name, email, password=PASSWORD + "\n")
    assert made.returncode == 0, made.stdout + made.stderr
    assert PASSWORD not in made.stdout + made.stderr and email not in made.stdout + made.stderr
    owner = Member(stack, email, PASSWORD).sign_in()
    assert owner.tenant in made.stdout and owner.login["roles"] == ["tenant_admin"]
    assert owner.request("GET", "/api/contents").json()["items"] == []
    draft = owner.draft()
    assert owner.request("GET", f"/api/contents/{draft['contentId']}").status_code == 200

    def tenants() -> int:
        return stack.rows("gateway", "SELECT count(*) FROM tenants")[0][0]

    # From a file too; the same is found, and nobody takes over somebody's address.
    count, file = tenants(), tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    again = create(stack, name, email, TENANT_OWNER_PASSWORD_FILE=str(file))
    assert again.returncode == 0 and owner.tenant in again.stdout, again.stdout + again.stderr
    other = create(stack, name, email, password="another passphrase\n")
    assert other.returncode == 1 and "another password" in other.stdout + other.stderr
    for arguments, password in (((name,), PASSWORD), ((name + "二", email), None), ((name + "二", "nobody"), PASSWORD)):
        assert create(stack, *arguments, password=password).returncode == 1
    assert tenants() == count


def test_a_new_tenant_sees_nothing_of_others(stack, member):
    name, email = f"新企业{uuid.uuid4().hex[:8]}", f"{uuid.uuid4().hex[:8]}@example.com"
    assert create(stack, name, email, password=PASSWORD).returncode == 0
    draft = member.draft()
    assert_problem(Member(stack, email, PASSWORD).sign_in().request("GET", f"/api/contents/{draft['contentId']}"), 404)


def test_a_platform_administrator_is_made_and_sets_prices_and_providers(stack, member):
    email, provider = f"{uuid.uuid4().hex[:8]}@example.com", f"house-{uuid.uuid4().hex[:8]}"
    price = {
        "provider": "openai", "model": "gpt-4o", "validFrom": f"{2100 + uuid.uuid4().int % 7000}-02-01T00:00:00Z", "source": "测试",
        "rates": {"promptNano": "1", "cachedPromptNano": "1", "completionNano": "1"}}
    house = {"dialect": "openai", "baseUrl": "http://127.0.0.1:9", "key": "k", "enabled": False}

    def administrator(*arguments: str, **settings) -> subprocess.CompletedProcess:
        return create(stack, *arguments, command="create-administrator", **settings)

    for arguments, password in (((email,), None), ((email,), "short\n"), (("nobody",), PASSWORD), ((), PASSWORD)):
        refused = administrator(*arguments, password=password)
        assert refused.returncode == 1, refused.stdout + refused.stderr
    made = administrator(email, password=PASSWORD + "\n")
    assert made.returncode == 0 and "platform administrator made" in made.stdout + made.stderr, made.stdout + made.stderr
    assert PASSWORD not in made.stdout + made.stderr and email not in made.stdout + made.stderr
    platform = Member(stack, email, PASSWORD).sign_in()
    assert platform.login["roles"] == ["system_admin"] and platform.tenant in made.stdout + made.stderr

    # A tenant's administrator may not, whatever else he may.
    assert member.login["roles"] == ["tenant_admin"]
    assert_problem(member.request("POST", "/api/ai/prices", json=price), 403)
    assert_problem(member.request("PUT", f"/api/ai/providers/{provider}", json=house), 403)
    assert platform.request("POST", "/api/ai/prices", json=price).status_code == 201
    assert platform.request("PUT", f"/api/ai/providers/{provider}", json=house).status_code == 204
    assert platform.request("DELETE", f"/api/ai/providers/{provider}").status_code == 204

    again = administrator(email)
    assert again.returncode == 0 and "was there" in again.stdout + again.stderr, again.stdout + again.stderr
    assert administrator(email, password="another passphrase\n").returncode == 1
    # Who has an account keeps it, and his password.
    owner = f"{uuid.uuid4().hex[:8]}@example.com"
    assert create(stack, f"新企业{uuid.uuid4().hex[:8]}", owner, password=PASSWORD).returncode == 0
    assert administrator(owner).returncode == 0
    body = {"email": owner, "password": PASSWORD, "tenantId": platform.tenant}
    answer = requests.post(stack.url("gateway-bff", "/api/auth/login"), json=body, timeout=20)
    assert answer.status_code == 200 and answer.json()["roles"] == ["system_admin"], answer.text
