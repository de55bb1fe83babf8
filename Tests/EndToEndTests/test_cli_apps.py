"""`culvert apps`."""
import base64
import json

import pytest

from support.cli import CONFLICT, NOT_FOUND, USAGE, good, mode, read
from support.processes import new_name


def as_app(service, made):
    """The status of a call that the app makes with its credential."""
    basic = base64.b64encode(f"{made['client_id']}:{made['client_secret']}".encode()).decode()
    return service.call("GET", "/api/v1/tunnels", key=None, headers={"Authorization": "Basic " + basic}).status


def test_an_app_from_birth_to_death(account, service):
    name = new_name()
    made = read(account.run("apps", "create", name, "--scopes", "tunnels:read,audit:read", "--json"))
    assert sorted(made["scopes"]) == ["audit:read", "tunnels:read"] and as_app(service, made) == 200
    assert read(account.run("apps", "get", name, "--json"))["client_id"] == made["client_id"]
    assert read(account.run("apps", "get", made["client_id"], "--json"))["name"] == name
    assert name in [a["name"] for a in read(account.run("apps", "list", "--json"))["apps"]]
    rotated = read(account.run("apps", "rotate-secret", name, "--json"))
    assert rotated["client_id"] == made["client_id"] and rotated["client_secret"] != made["client_secret"]
    assert as_app(service, made) == 401 and as_app(service, rotated) == 200
    assert read(account.run("apps", "delete", name, "--json"))["deleted"] is True
    assert as_app(service, rotated) == 401
    assert account.run("apps", "delete", name).returncode == NOT_FOUND


def test_words_for_people(account):
    name = new_name()
    out = account.run("apps", "create", name, "--scopes", "tunnels:read")
    secret = next(l for l in good(out).splitlines() if l.startswith("client secret")).split()[-1]
    assert len(secret) == 64 and "once" in out.stderr
    listed = good(account.run("apps", "list"))
    assert name in listed and secret not in listed and "tunnels:read" in listed


def test_a_secret_goes_into_a_file(account, tmp_path):
    file = tmp_path / "secret"
    out = account.run("apps", "create", new_name(), "--scopes", "tunnels:read", "--secret-file", str(file))
    assert mode(file) == 0o600 and len(file.read_text()) == 65 and file.read_text().strip() not in good(out) + out.stderr


@pytest.mark.parametrize("words, status, said", [
    (["create", "x"], USAGE, "--scopes"),
    (["create", "x", "--scopes", "tunnels:raed"], USAGE, "did you mean tunnels:read?"),
    (["create", "x", "--scopes", "tunnels:read,,"], USAGE, "empty"),
    (["create", "x", "--scopes", "quite-another"], USAGE, "scope"),
    (["get", "nothing-of-that-name"], NOT_FOUND, "culvert apps list"),
])
def test_what_goes_wrong_is_told(account, words, status, said):
    out = account.run("apps", *words)
    assert out.returncode == status and said in out.stderr and out.stdout == "", out
    assert json.loads(account.run("apps", *words, "--json").stderr)["error"]["exit_code"] == status


def test_two_apps_of_one_name_are_not_guessed_between(account):
    name = new_name()
    ids = [read(account.run("apps", "create", name, "--scopes", "tunnels:read", "--json"))["client_id"] for _ in range(2)]
    out = account.run("apps", "get", name)
    assert out.returncode == CONFLICT and all(i in out.stderr for i in ids)
