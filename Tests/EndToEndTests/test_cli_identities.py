"""`culvert identities`, `keys`, `whoami`, and an agent that has nothing but its identity's key."""
import json

import pytest

from support.cli import AUTHENTICATION, CONFLICT, NOT_FOUND, USAGE, good, key_of, log_in, mode, read, stored
from support.origin import Origin
from support.processes import new_name
from support.waiting import until


@pytest.fixture
def handle(account):
    """An identity of the test's own."""
    name = new_name()
    read(account.run("identities", "create", name, "--json"))
    return name


@pytest.fixture
def agent(account, service, handle, tmp_path):
    """A home that is logged in with nothing but the identity's key."""
    return log_in(tmp_path / "agent", service, key_of(account, handle))


def test_an_identity_from_birth_to_death(account, service):
    name, later = new_name(), new_name()
    made = read(account.run("identities", "create", "@" + name.upper(), "--display-name", "Some Agent", "--description", "d", "--json"))
    assert (made["agent_handle"], made["display_name"], made["description"]) == (name, "Some Agent", "d")
    assert made["tunnel"]["tunnel_name"] == name and made["tunnel"]["public_host"] == name + ".localhost"
    assert read(account.run("identities", "get", "@" + name, "--json"))["id"] == made["id"]
    assert read(account.run("identities", "get", made["id"], "--json"))["agent_handle"] == name
    assert name in [i["agent_handle"] for i in read(account.run("identities", "list", "--json"))["identities"]]
    changed = read(account.run("identities", "update", name, "--clear-display-name", "--description", "e", "--json"))
    assert changed.get("display_name") is None and changed["description"] == "e"
    renamed = read(account.run("identities", "rename", name, later, "--json"))
    assert renamed["id"] == made["id"] and renamed["tunnel"]["tunnel_name"] == later
    assert account.run("identities", "get", name).returncode == NOT_FOUND
    assert read(account.run("identities", "delete", later, "--json")) == {"deleted": True, "id": made["id"], "name": later}
    assert account.run("identities", "get", later).returncode == NOT_FOUND
    assert later not in [t["tunnel_name"] for t in read(account.run("tunnels", "list", "--json"))["tunnels"]]


def test_words_for_people(account, handle):
    out = good(account.run("identities", "list"))
    assert handle in out and out.startswith("HANDLE") and "\x1b" not in out
    assert f"{handle}.localhost" in good(account.run("identities", "get", handle))
    other = new_name()
    assert other in good(account.run("identities", "rename", handle, other))
    assert other in good(account.run("identities", "delete", other))


def test_a_handle_that_cannot_be_is_told(account):
    out = account.run("identities", "create", "My_Agent")
    assert out.returncode == USAGE and "'_'" in out.stderr and out.stdout == ""


@pytest.mark.parametrize("words, status, said", [
    (["create", "{handle}"], CONFLICT, "taken"),
    (["create", "admin"], CONFLICT, "reserved"),
    (["get", "{handle}x"], NOT_FOUND, "did you mean {handle}?"),
    (["get", "nobody-at-all-here"], NOT_FOUND, "culvert identities list"),
    (["update", "{handle}"], USAGE, "nothing to change"),
    (["update", "{handle}", "--description", "x", "--clear-description"], USAGE, "contradict"),
    (["signing-key", "{handle}", "--secret-file", "/nonexistent/f"], USAGE, "--rotate"),
])
def test_what_goes_wrong_is_told(account, handle, words, status, said):
    out = account.run("identities", *[w.format(handle=handle) for w in words])
    assert out.returncode == status and said.format(handle=handle) in out.stderr, out
    assert out.stdout == ""
    out = account.run("identities", *[w.format(handle=handle) for w in words], "--json")
    assert json.loads(out.stderr)["error"]["exit_code"] == status


def test_whoami_of_an_administrator(account, service):
    who = read(account.run("whoami", "--json"))
    assert who["auth_subtype"] == "api_key.admin_scoped" and who["organization_id"] == service.org
    assert service.org in good(account.run("whoami"))


def test_whoami_of_an_agent(agent, handle):
    assert read(agent.run("whoami", "--json"))["auth_subtype"] == "api_key.agent_scoped.claimed"
    assert handle in good(agent.run("whoami"))


def test_a_key_and_its_secret_are_shown_once(account, handle):
    out = account.run("keys", "create", "shown", "--identity", handle)
    lines = dict(l.split("  ", 1) for l in good(out).splitlines())
    key, secret = lines["api key"].strip(), lines["rotation secret"].strip()
    assert key.startswith("ApiKey_") and secret.startswith("RotSecret_") and "once" in out.stderr
    listed = good(account.run("keys", "list")) + good(account.run("keys", "list", "--json"))
    assert key not in listed and secret not in listed and "shown" in listed


def test_a_key_goes_into_a_file_that_only_its_owner_can_read(account, handle, tmp_path):
    file = tmp_path / "key"
    out = account.run("keys", "create", "filed", "--identity", handle, "--secret-file", str(file))
    key, secret = file.read_text().split()
    assert mode(file) == 0o600 and key not in good(out) + out.stderr and secret not in out.stdout + out.stderr
    out = account.run("keys", "create", "filed", "--identity", handle, "--secret-file", str(file), "--json")
    made = json.loads(good(out))
    assert made["secret_file"] == str(file) and "api_key" not in made and "rotation_secret" not in made
    assert file.read_text().split()[0] != key


def test_no_key_is_made_that_could_not_be_kept(account, handle, tmp_path):
    before = read(account.run("keys", "list", "--json"))["api_keys"]
    out = account.run("keys", "create", "lost", "--identity", handle, "--secret-file", str(tmp_path / "no-folder" / "key"))
    assert out.returncode != 0 and "no-folder" in out.stderr
    assert read(account.run("keys", "list", "--json"))["api_keys"] == before


def test_a_key_can_expire(account, handle):
    made = read(account.run("keys", "create", "brief", "--identity", handle, "--expires", "2d", "--json"))
    assert made["record"]["expires_at"] > made["record"]["created_at"]
    out = account.run("keys", "create", "brief", "--identity", handle, "--expires", "soon")
    assert out.returncode == USAGE and "90d" not in out.stderr and "24h" in out.stderr


def test_a_revoked_key_is_refused(account, agent, handle):
    label = "revoked-" + handle
    file = key_of(account, handle, label)
    other = log_in(agent.folder / "other", agent.service, file)
    assert label in good(account.run("keys", "revoke", label))
    out = other.run("tunnels", "list")
    assert out.returncode == AUTHENTICATION and "culvert login" in out.stderr
    assert account.run("keys", "revoke", label).returncode == NOT_FOUND, "a revoked key has no label to be found by"
    good(agent.run("tunnels", "list"))


def test_two_keys_of_one_label_are_not_guessed_between(account, handle):
    label = "twice-" + handle
    ids = [read(account.run("keys", "create", label, "--identity", handle, "--json"))["record"]["id"] for _ in range(2)]
    out = account.run("keys", "revoke", label)
    assert out.returncode == CONFLICT and all(i in out.stderr for i in ids)
    for i in ids:
        good(account.run("keys", "revoke", i))


def test_an_agent_may_not_do_what_an_administrator_may(agent, account, handle):
    for words in (["identities", "create", new_name()], ["keys", "create", "x", "--identity", handle], ["apps", "list"]):
        out = agent.run(*words)
        assert out.returncode == AUTHENTICATION and "administrator" in out.stderr, out
    other = new_name()
    good(account.run("identities", "create", other))
    assert agent.run("identities", "get", other).returncode == NOT_FOUND


def test_login_takes_a_key_with_its_rotation_secret(agent, account, handle, service, tmp_path):
    assert stored(agent)["rotation_secret"].startswith("RotSecret_")
    out = agent.run("login", "--server", f"https://localhost:{service.https_port}", "--ca-file", service.ca,
                    "--api-key-file", str(account.folder / f"{handle}.key"))
    assert f" as {handle}." in good(out)
    key, secret = (account.folder / f"{handle}.key").read_text().split()
    assert key not in out.stdout + out.stderr and secret not in out.stdout + out.stderr
    (tmp_path / "key").write_text(key + "\n")
    (tmp_path / "secret").write_text(secret + "\n")
    good(agent.run("login", "--server", f"https://localhost:{service.https_port}", "--ca-file", service.ca,
                   "--api-key-file", str(tmp_path / "key"), "--rotation-secret-file", str(tmp_path / "secret")))
    assert stored(agent)["rotation_secret"] == secret


@pytest.mark.parametrize("text, said", [("RotSecret_" + "a" * 40, "another kind of secret"), ("ApiKey_a ApiKey_b", "more than one word"),
                                        ("", "empty"), ("ApiKey_" + "a" * 49, "checksum")])
def test_what_is_no_key_is_told(service, tmp_path, account, text, said):
    (tmp_path / "key").write_text(text)
    out = account.run("login", "--server", f"https://localhost:{service.https_port}", "--ca-file", service.ca, "--api-key-file", str(tmp_path / "key"))
    assert out.returncode in (USAGE, AUTHENTICATION) and said in out.stderr and (not text or text not in out.stderr)


def test_an_agent_serves_its_own_tunnel_with_its_key_alone(agent, service, handle):
    origin = Origin()
    running = agent.http(origin.port)
    try:
        assert handle in running.url()
        until("the agent is connected", lambda: service.get(f"{handle}.localhost", "/").status == 200)
    finally:
        running.stop()
        origin.close()


def test_an_agent_is_told_that_another_name_is_not_its_own(agent, handle):
    out = agent.http(1, "--name", new_name())
    assert out.process.wait(20) == AUTHENTICATION and handle in out.tail()


def test_a_revoked_key_ends_its_agent(agent, account, service, handle):
    origin = Origin()
    running = agent.http(origin.port)
    try:
        running.url()
        key = read(agent.run("whoami", "--json"))["key_id"]
        good(account.run("keys", "revoke", key))
        assert running.process.wait(30) == AUTHENTICATION, running.tail()
    finally:
        origin.close()


def test_a_signing_key_is_made_and_replaced(account, handle, tmp_path):
    assert read(account.run("identities", "signing-key", handle, "--json")) == {"configured": False}
    assert "--rotate" in good(account.run("identities", "signing-key", handle))
    made = read(account.run("identities", "signing-key", handle, "--rotate", "--json"))
    assert read(account.run("identities", "signing-key", handle, "--json"))["configured"] is True
    out = account.run("identities", "signing-key", handle, "--rotate", "--secret-file", str(tmp_path / "key"))
    key = (tmp_path / "key").read_text().strip()
    assert key and key != made["signing_key"] and key not in good(out) + out.stderr and mode(tmp_path / "key") == 0o600
    assert read(account.run("identities", "get", handle, "--json"))["signing_key_configured"] is True
