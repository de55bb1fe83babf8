"""The command line: what it prints where, how it exits, and that it teaches."""
import json
import os
import stat
import subprocess
from datetime import timedelta

import pytest

from support.clock import WallClock
from support.processes import CULVERT, Account, new_name
from support.waiting import until


FAILURE, USAGE, AUTHENTICATION, NOT_FOUND, CONFLICT, UNREACHABLE = 1, 2, 3, 4, 5, 7


def tunnels(account, *words):
    return account.run("tunnels", *words)


def test_help_lists_the_exit_statuses(account):
    said = account.run("--help").stdout
    for status in (FAILURE, USAGE, AUTHENTICATION, NOT_FOUND, CONFLICT, 6, UNREACHABLE, 130):
        assert f"{status} " in said or f"{status}:" in said, status


@pytest.mark.parametrize("words", [[], ["login"], ["http"], ["tunnels"], ["tunnels", "create"]])
def test_help_teaches(account, words):
    out = account.run(*words, "--help")
    assert out.returncode == 0 and "usage" in out.stdout.lower() and len(out.stdout.splitlines()) > 3, out
    assert out.stderr == ""


@pytest.mark.parametrize("words", [["unknown"], ["http"], ["http", "no-port"], ["http", "0"], ["http", "70000"], ["http", "3000", "--unknown"],
                                   ["tunnels", "unknown"], ["tunnels", "get"], ["login"]])
def test_wrong_usage_has_its_own_exit_status(account, words):
    out = account.run(*words)
    assert out.returncode == USAGE, out
    assert out.stdout == "" and out.stderr.strip() and len(out.stderr.splitlines()) < 40


def test_tunnels_from_birth_to_death(account):
    name = new_name()
    made = tunnels(account, "create", name, "--json")
    assert made.returncode == 0, made
    tunnel = json.loads(made.stdout)
    tunnel = tunnel.get("tunnel", tunnel)
    assert tunnel["tunnel_name"] == name
    listed = json.loads(tunnels(account, "list", "--json").stdout)
    listed = listed["tunnels"] if isinstance(listed, dict) else listed
    assert name in [t["tunnel_name"] for t in listed]
    got = json.loads(tunnels(account, "get", name, "--json").stdout)
    assert got["id"] == tunnel["id"]
    updated = tunnels(account, "update", name, "--description", "words", "--json")
    assert updated.returncode == 0 and json.loads(updated.stdout)["description"] == "words"
    assert json.loads(tunnels(account, "delete", name, "--json").stdout)["status"] == "delete_pending"
    assert json.loads(tunnels(account, "restore", name, "--json").stdout)["status"] == "active"
    rotated = tunnels(account, "rotate-secret", name, "--json")
    assert rotated.returncode == 0, rotated
    tunnels(account, "delete", name)
    assert json.loads(tunnels(account, "force-delete", name, "--json").stdout)["status"] == "deleted"


def test_words_for_people(account):
    name = new_name()
    assert tunnels(account, "create", name).returncode == 0
    out = tunnels(account, "list")
    assert out.returncode == 0 and name in out.stdout and not out.stdout.lstrip().startswith(("{", "["))
    assert name in tunnels(account, "get", name).stdout


def test_what_is_not_there_is_told(account):
    out = tunnels(account, "get", new_name())
    assert out.returncode == NOT_FOUND and out.stdout == "" and out.stderr


def test_a_failure_in_json_is_json_too(account):
    out = tunnels(account, "get", new_name(), "--json")
    assert out.returncode == NOT_FOUND
    json.loads(out.stdout or out.stderr)


def test_without_login_it_says_to_log_in(service, tmp_path):
    out = Account(tmp_path / "home", service, log_in=False).run("tunnels", "list")
    assert out.returncode != 0 and "culvert login" in out.stderr


def test_a_wrong_key_is_told_and_not_shown(service, tmp_path):
    account = Account(tmp_path / "home", service, log_in=False)
    account.key_file.write_text("ApiKey_" + "w" * 40)
    out = account.run("login", "--server", f"https://localhost:{service.https_port}", "--ca-file", service.ca, "--api-key-file", str(account.key_file))
    if out.returncode == 0:
        out = account.run("tunnels", "list")
    assert out.returncode == AUTHENTICATION and "w" * 40 not in out.stdout + out.stderr


def test_a_server_that_is_not_there_is_told(service, tmp_path):
    from support.processes import free_port
    account = Account(tmp_path / "home", service, log_in=False)
    port = free_port()
    out = account.run("login", "--server", f"https://localhost:{port}", "--ca-file", service.ca, "--api-key-file", str(account.key_file))
    if out.returncode == 0:
        out = account.run("tunnels", "list")
    assert out.returncode == UNREACHABLE and str(port) in out.stderr


def test_a_certificate_that_nobody_vouches_for_is_refused(service, tmp_path):
    account = Account(tmp_path / "home", service, log_in=False)
    out = account.run("login", "--server", f"https://localhost:{service.https_port}", "--api-key-file", str(account.key_file))
    if out.returncode == 0:
        out = account.run("tunnels", "list")
    assert out.returncode == UNREACHABLE and "certificate" in out.stderr.lower()


def test_a_key_on_the_command_line_is_refused(account, service):
    out = account.run("login", "--server", f"https://localhost:{service.https_port}", "--api-key", service.key)
    assert out.returncode == USAGE and service.key not in out.stderr


def test_login_leaves_private_files(service, tmp_path):
    account = Account(tmp_path / "home", service)
    files = [p for p in account.folder.rglob("*") if p.is_file() and p != account.key_file]
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_http_prints_the_url_first_then_a_line_a_request(route):
    assert route.url.startswith("https://" + route.host) or route.url.startswith("http://" + route.host), route.url
    route.get("/a-line?secret=hidden", method="POST", body=b"x")
    line = until("the request's line", lambda: next((l for l in route.agent.tail().splitlines() if "/a-line" in l), None))
    assert "POST" in line and "200" in line


def test_the_printed_url_works_as_it_is(route, service):
    out = subprocess.run(["curl", "-sS", "--max-time", "10", "--cacert", service.ca, route.url.rstrip("/") + "/as-printed"], capture_output=True, text=True)
    assert '"target": "/as-printed"' in out.stdout, out


def test_a_second_start_uses_the_same_tunnel(make_route, service):
    route = make_route(service)
    first = [t for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"] if t["tunnel_name"] == route.name]
    route.agent.stop()
    route.up()
    assert [t["id"] for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"] if t["tunnel_name"] == route.name] == [first[0]["id"]]
    assert route.get("/second").status == 200


def test_sigterm_ends_the_agent_well(make_route, service):
    route = make_route(service)
    route.agent.process.terminate()
    assert route.agent.process.wait(20) == 0
    until("offline", lambda: service.get(route.host).reason == "agent-offline")


def test_a_deleted_tunnel_ends_the_agent(make_route, service):
    route = make_route(service)
    found = next(t for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"] if t["tunnel_name"] == route.name)
    service.call("DELETE", f"/api/v1/tunnels/{found['id']}")
    assert route.agent.process.wait(20) in (FAILURE, AUTHENTICATION, NOT_FOUND, CONFLICT)
    assert len(route.agent.tail()) > 0


def test_only_loopback_is_a_target(account):
    out = account.run("http", "http://192.0.2.1:80", "--name", new_name())
    assert out.returncode == USAGE and "--allow-remote" in out.stderr, out


def test_a_reserved_name_is_told(account):
    out = account.run("http", "3000", "--name", "admin")
    assert out.returncode == CONFLICT and "admin" in out.stderr


def test_an_unwritable_home_is_told(service, tmp_path):
    if os.geteuid() == 0:
        home = tmp_path / "home"
        account = Account(home, service, log_in=False)
        (home / "config").write_text("a file where a folder should be")
        (home / "state").write_text("a file where a folder should be")
    else:
        account = Account(tmp_path / "home", service, log_in=False)
        (tmp_path / "home").chmod(0o500)
    out = account.run("login", "--server", f"https://localhost:{service.https_port}", "--ca-file", service.ca, "--api-key-file", str(account.key_file))
    assert out.returncode != 0 and str(tmp_path) in out.stderr


def test_the_binary_runs_anywhere():
    out = subprocess.run([CULVERT, "--help"], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}, cwd="/")
    assert out.returncode == 0


@pytest.mark.parametrize("years, word", [(60, "has expired"), (-40, "not yet valid")])
def test_a_certificate_that_does_not_hold_today_is_told_with_the_clock(account, tmp_path, years, word):
    clock = WallClock(tmp_path)
    clock.move(timedelta(days=365 * years))
    out = subprocess.run([CULVERT, "tunnels", "list"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                         env={**account.env, **clock.environment})
    assert out.returncode == UNREACHABLE and word in out.stderr and "clock" in out.stderr and "--ca-file" not in out.stderr, out
