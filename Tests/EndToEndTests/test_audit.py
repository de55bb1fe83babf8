"""The audit trail: over the API, by the operator's commands, and when somebody has laid hands on it."""
import json
import re
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.processes import CULVERTD, new_name
from support.waiting import until
from test_apps import App, basic

MEMBERS = ["id", "sequence", "occurred_at", "action", "actor", "resource", "ip", "request_id", "outcome", "details",
           "previous_hash", "hash"]


def events(service, query="", **options):
    answer = service.call("GET", "/api/v1/audit-events" + query, **options)
    assert answer.status == 200, answer
    return answer.json()["audit_events"]


def audit(service, *words):
    return subprocess.run([CULVERTD, "audit", *words, "--data-dir", str(service.data)], capture_output=True, text=True,
                          timeout=60, env=service.env)


def tamper(service, *statements):
    with sqlite3.connect(service.data / "culvert.db", timeout=20) as store:
        for statement in statements:
            store.execute(statement)
    store.close()


@pytest.fixture
def busy(make_service):
    """A service of the test's own with a dozen lines in its trail."""
    own = make_service()
    for _ in range(4):
        tunnel = own.tunnel()
        own.call("POST", f"/api/v1/tunnels/{tunnel.id}/rotate-secret")
        own.call("DELETE", f"/api/v1/tunnels/{tunnel.id}")
    return own


def test_an_event_tells_who_did_what_to_which_thing(service):
    answer = service.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()})
    id = answer.json()["tunnel"]["id"]
    found = events(service, f"?resource={id}")
    assert [e["action"] for e in found] == ["tunnel.create"]
    event = found[0]
    assert list(event) == MEMBERS
    assert event["actor"]["type"] == "api_key" and event["resource"] == {"type": "tunnel", "id": id}
    assert (event["ip"], event["request_id"], event["outcome"]) == ("127.0.0.1", answer.header("x-request-id"), "success")
    assert all(re.fullmatch(r"[0-9a-f]{64}", event[name]) for name in ("previous_hash", "hash"))


def test_filters_and_pages(service):
    app = App(service, "tunnels:write", "audit:read")
    ids = [app.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}).json()["tunnel"]["id"] for _ in range(5)]
    mine = f"?actor={app.id}&action=tunnel.create"
    headers = basic(app.id, app.secret)
    whole = events(service, mine, key=None, headers=headers)
    assert [e["resource"]["id"] for e in whole] == ids[::-1]
    paged, cursor = [], ""
    while cursor is not None:
        answer = service.call("GET", f"/api/v1/audit-events{mine}&limit=2{cursor and '&cursor=' + cursor}", key=None, headers=headers)
        paged += answer.json()["audit_events"]
        cursor = answer.json().get("next_cursor")
    assert paged == whole
    middle = whole[2]["occurred_at"]
    assert events(service, f"{mine}&since={middle}") == whole[:3]
    assert events(service, f"{mine}&until={middle}") == whole[3:]


def test_organizations_see_their_own_lines_alone(make_service):
    own = make_service(start=False)
    out = subprocess.run([CULVERTD, "init", "--data-dir", own.data, "--add-organization", "--json"], capture_output=True,
                         text=True, env=own.env)
    other = json.loads(out.stdout)
    own.start()
    for key in (own.key, other["api_key"], own.key):
        assert own.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}, key=key).status == 201
    mine, theirs = events(own), events(own, key=other["api_key"])
    assert not {e["id"] for e in mine} & {e["id"] for e in theirs}
    assert own.org not in json.dumps(theirs) and other["organization_id"] not in json.dumps(mine)
    lines = [json.loads(line) for line in audit(own, "export").stdout.splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, len(mine) + len(theirs) + 1))
    one = [json.loads(line) for line in audit(own, "export", "--organization", other["organization_id"]).stdout.splitlines()]
    assert [{k: v for k, v in line.items() if k != "organization_id"} for line in one[::-1]] == theirs


def test_the_trail_verifies_while_the_service_works(busy):
    def work(_):
        return busy.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}).status
    with ThreadPoolExecutor(4) as pool:
        made = pool.map(work, range(20))
        for _ in range(5):
            out = audit(busy, "verify")
            assert out.returncode == 0, out.stdout + out.stderr
        assert set(made) == {201}
    busy.kill()
    out = audit(busy, "verify")
    assert out.returncode == 0 and re.search(r"34 lines, .* 34:[0-9a-f]{64}\n$", out.stdout), out


@pytest.mark.parametrize("statements,finding", [
    (["UPDATE audit_entries SET actor_label = 'nobody' WHERE sequence = 5"], "line 5 was edited"),
    (["DELETE FROM audit_entries WHERE sequence = 5"], "line 5 is missing"),
    (["UPDATE audit_entries SET sequence = 99 WHERE sequence = 5", "UPDATE audit_entries SET sequence = 5 WHERE sequence = 6",
      "UPDATE audit_entries SET sequence = 6 WHERE sequence = 99"], "line 5 is not the one that followed line 4"),
    (["DELETE FROM audit_entries WHERE sequence > 11"], "lines 12 to 14 are missing: the end was cut off"),
    (["DELETE FROM audit_head"], "the sealed head is missing")])
def test_whatever_is_done_to_the_trail_is_named(busy, statements, finding):
    tamper(busy, *statements)
    out = audit(busy, "verify")
    assert out.returncode == 1 and finding in out.stdout, out
    assert "is not what the service has written" in out.stderr
    # It stays so when the trail goes on, and stops nobody.
    assert busy.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()}).status == 201
    later = audit(busy, "verify")
    if "head" in finding:
        assert later.returncode == 0 and events(busy, "?action=audit.break")
    else:
        assert later.returncode == 1 and ("missing" in later.stdout or finding in later.stdout), later


def test_a_directory_put_back_is_known_by_a_noted_place(busy):
    busy.stop()
    old = (busy.data / "culvert.db").read_bytes()
    busy.start()
    busy.tunnel()
    busy.stop()
    noted = re.search(r"15:[0-9a-f]{64}", audit(busy, "verify").stdout).group()
    (busy.data / "culvert.db").write_bytes(old)
    assert audit(busy, "verify").returncode == 0, "nothing in the directory can tell"
    out = audit(busy, "verify", "--noted", noted)
    assert out.returncode == 1 and "line 15 was noted earlier and is missing" in out.stdout
    busy.start()
    busy.tunnel()
    out = audit(busy, "verify", "--noted", noted)
    assert out.returncode == 1 and "line 15 is not the one that was noted" in out.stdout


def test_export_narrows_by_time_and_refuses_nonsense(busy):
    lines = [json.loads(line) for line in audit(busy, "export").stdout.splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, 15))
    assert list(lines[0]) == ["organization_id", *MEMBERS]
    since = [json.loads(line) for line in audit(busy, "export", "--since", lines[7]["occurred_at"]).stdout.splitlines()]
    assert since == lines[7:]
    for words in (["--since", "yesterday"], ["--organization", "x"], ["--noted", "1:2"]):
        assert audit(busy, "export", *words).returncode == 2
    assert audit(busy, "verify", "--noted", "x").returncode == 2
    assert subprocess.run([CULVERTD, "audit", "verify", "--data-dir", "/nonexistent"], capture_output=True).returncode == 1


def test_failed_authentications_are_on_record_and_do_not_fill_it(busy):
    app = App(busy, "tunnels:read")
    for number in range(50):
        assert app.call("GET", "/api/v1/tunnels", secret=f"{number:064x}").status == 401
        assert busy.call("GET", "/api/v1/tunnels", key=f"ApiKey_{number}").status == 401
    found = until("the failure is on record", lambda: events(busy, "?action=auth.fail"))
    assert len(found) == 1
    assert found[0]["resource"] == {"type": "app", "id": app.id} and found[0]["outcome"] == "refused"
    assert audit(busy, "verify").returncode == 0
