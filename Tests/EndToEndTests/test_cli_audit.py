"""`culvert audit list`."""
import json

import pytest

from support.cli import AUTHENTICATION, USAGE, good, key_of, log_in, read
from support.processes import Account, new_name


@pytest.fixture
def own(make_service, tmp_path):
    """A service and a home of the test's own: everybody writes into the shared one's trail."""
    service = make_service()
    return service, Account(tmp_path / "home", service)


def lines(account, *words):
    return read(account.run("audit", "list", *words, "--json"))["audit_events"]


def test_what_was_done_is_listed_newest_first(own):
    service, account = own
    name = new_name()
    tunnel = read(account.run("tunnels", "create", name, "--json"))["tunnel"]
    good(account.run("tunnels", "rotate-secret", name))
    good(account.run("tunnels", "delete", name))
    found = lines(account)
    assert [l["action"] for l in found][:3] == ["tunnel.delete", "secret.rotate", "tunnel.create"]
    assert all(l["resource"]["id"] == tunnel["id"] and l["ip"] == "127.0.0.1" and l["outcome"] == "success" for l in found[:3])
    assert found[0]["previous_hash"] == found[1]["hash"] and found[0]["sequence"] > found[1]["sequence"]
    people = good(account.run("audit", "list")).splitlines()
    assert people[0].startswith("TIME") and "tunnel.delete" in people[1] and tunnel["id"] in people[1]


def test_filters_and_limits(own):
    service, account = own
    for _ in range(3):
        service.tunnel()
    one = service.tunnel()
    key = read(account.run("whoami", "--json"))["key_id"]
    assert [l["action"] for l in lines(account, "--action", "tunnel.create")] == ["tunnel.create"] * 4
    assert [l["resource"]["id"] for l in lines(account, "--resource", one.id)] == [one.id]
    assert len(lines(account, "--limit", "2")) == 2
    everything = lines(account, "--all")
    assert lines(account, "--since", "1h") == everything and lines(account, "--until", "1h") == []
    assert lines(account, "--since", everything[0]["occurred_at"])[-1]["id"] == everything[0]["id"]
    by_key = lines(account, "--actor", everything[0]["actor"]["id"])
    assert len(by_key) >= 4 and key
    assert "Nothing" in good(account.run("audit", "list", "--until", "1d"))


def test_a_long_trail_is_fetched_whole(own):
    service, account = own
    tunnel = service.tunnel()
    for number in range(230):
        service.call("PATCH", f"/api/v1/tunnels/{tunnel.id}", {"description": str(number)})
    numbers = [l["sequence"] for l in lines(account, "--all", "--action", "tunnel.update")]
    assert len(numbers) == 230 and numbers == sorted(set(numbers), reverse=True)
    assert len(lines(account, "--action", "tunnel.update")) == 100, "100 lines unless something else is asked for"
    assert len(lines(account, "--limit", "201")) == 201


@pytest.mark.parametrize("words, status, said", [
    (["--action", "tunnel.frobnicate"], USAGE, "action"),
    (["--since", "yesterday"], USAGE, "24h"),
    (["--limit", "0"], USAGE, "1 to 1000000"),
    (["--limit", "5", "--all"], USAGE, "contradict"),
])
def test_what_goes_wrong_is_told(account, words, status, said):
    out = account.run("audit", "list", *words)
    assert out.returncode == status and said in out.stderr and out.stdout == "", out
    assert json.loads(account.run("audit", "list", *words, "--json").stderr)["error"]["exit_code"] == status


def test_an_agents_key_may_not_read_it(account, service, tmp_path):
    name = new_name()
    good(account.run("identities", "create", name))
    out = log_in(tmp_path / "agent", service, key_of(account, name)).run("audit", "list")
    assert out.returncode == AUTHENTICATION and "administrator" in out.stderr


def test_no_secret_is_in_it(own):
    service, account = own
    name = new_name()
    made = read(account.run("tunnels", "create", name, "--json"))
    good(account.run("identities", "create", name + "-i"))
    key = read(account.run("keys", "create", "k", "--identity", name + "-i", "--json"))
    app = read(account.run("apps", "create", "a", "--scopes", "tunnels:read", "--json"))
    trail = good(account.run("audit", "list", "--all", "--json"))
    assert "key.create" in trail and "app.create" in trail
    for secret in (made["connect_secret"], key["api_key"], key["rotation_secret"], app["client_secret"], service.key):
        assert secret not in trail
