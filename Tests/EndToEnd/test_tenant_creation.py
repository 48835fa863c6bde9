"""`gateway-bff create-tenant`: how an installation gets its first tenant."""

import os
import pathlib
import subprocess
import uuid
from urllib.parse import urlsplit

from support import Member, assert_problem

PASSWORD = "a passphrase of somebody"


def create(stack, *arguments: str, password: str | None = None, **settings: str) -> subprocess.CompletedProcess:
    """The command with the settings of the gateway that runs, and the owner's address."""
    pid = stack.pid("gateway-bff")
    running = dict(entry.split("=", 1) for entry in pathlib.Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in entry)
    server = urlsplit(running["DATABASE_URL"])
    owner = f"postgres://gateway_owner:{stack.secrets['gateway.owner.password']}@{server.hostname}:{server.port}{server.path}"
    return subprocess.run(
        [os.readlink(f"/proc/{pid}/exe"), "create-tenant", *arguments], env=running | {"OWNER_DATABASE_URL": owner} | settings,
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
