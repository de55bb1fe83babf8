"""What a hostile sender tries, and what a machine that is out of room does: nothing unproven gets in, nothing acknowledged is lost."""
import hashlib
import hmac
import json
import resource
import socket
import time

import pytest
import standardwebhooks

from support.hooks import GITHUB_SECRET, github, github_route, script
from support.waiting import until
from test_disk import fill_disk, small_disk  # noqa: F401: a fixture
from test_hook_senders import SENDERS, WHSEC, value

TRUE = {"exec": ["/bin/true"]}
NONE = {"kind": "none"}


def raw(hook, *parts, shut=False):
    """One connection on which exactly these bytes are sent; gives the status of the first answer, and the rest."""
    with socket.create_connection(("127.0.0.1", hook.port), timeout=60) as sock:
        sock.sendall(b"".join(p if isinstance(p, bytes) else p.encode() for p in parts))
        if shut:
            sock.shutdown(socket.SHUT_WR)
        data = b""
        while b"\r\n\r\n" not in data:
            try:
                piece = sock.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            data += piece
    return int(data.split(b" ", 2)[1]) if data else None, data.decode("latin-1")


def lines_of(fields):
    return "".join(f"{name}: {text}\r\n" for name, text in fields)


def post(hook, path, fields, body, extra=""):
    head = f"POST {path} HTTP/1.1\r\nHost: h.example\r\nConnection: close\r\n{lines_of(fields)}{extra}Content-Length: {len(body)}\r\n\r\n"
    return raw(hook, head, body)[0]


def test_a_field_that_stands_twice_proves_nothing(make_hook):
    hook = make_hook([{"name": name, "path": "/" + name, "verify": verify, "action": TRUE, "url": "https://hooks.example"}
                      for name, (_, verify) in SENDERS.items()])
    signing = ("signature", "hmac", "x-sig", "timestamp", "x-time", "ed25519")
    for name, (sign, _) in SENDERS.items():
        body = json.dumps({"id": name, "event_id": name, "type": 2}).encode()
        fields = dict(sign(body, int(time.time())))
        path = fields.pop(":target", "/" + name)
        for field in [f for f in fields if any(word in f for word in signing)]:
            wrong = "0" * len(fields[field])
            for pair in ([fields[field], wrong], [wrong, fields[field]], [fields[field]] * 2):
                rest = [(n, t) for n, t in fields.items() if n != field]
                assert post(hook, path, rest + [(field, t) for t in pair], body) == 401, (name, field)
        assert post(hook, path, fields.items(), body) == 202, name
    assert len(hook.settled()) == len(SENDERS)


@pytest.mark.parametrize("text", ["{now}.0", "+{now}", "0x6a000000", "{now}000", "-1", "", "{now}e0", "1_795_219_200", "{now},{now}", "٣"])
def test_a_time_is_whole_seconds_in_digits_or_it_is_none(make_hook, text):
    """Each of them is signed, so that only its form can be what is refused."""
    stamp = text.format(now=int(time.time()))
    hook = make_hook([{"name": "slack", "path": "/slack", "verify": {"kind": "slack", "secrets": value("s")}, "action": TRUE},
                      {"name": "standard", "path": "/standard", "verify": {"kind": "standard-webhooks", "secrets": value(WHSEC)}, "action": TRUE},
                      {"name": "stripe", "path": "/stripe", "verify": {"kind": "stripe", "secrets": value("s")}, "action": TRUE}])
    code = lambda message, key=b"s": hmac.new(key, message, hashlib.sha256)
    key = standardwebhooks.Webhook(WHSEC)._whsecret
    stamp = stamp.encode().decode("latin-1")  # as it goes over the wire
    wire = stamp.encode("latin-1")
    head = lambda path, fields: [f"POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n".encode(), *fields, b"\r\n{}"]
    attempts = {
        "/slack": [b"x-slack-request-timestamp: " + wire + b"\r\n",
                   b"x-slack-signature: v0=" + code(b"v0:" + wire + b":{}").hexdigest().encode() + b"\r\n"],
        "/standard": [b"webhook-id: m\r\n", b"webhook-timestamp: " + wire + b"\r\n",
                      b"webhook-signature: v1," + __import__("base64").b64encode(code(b"m." + wire + b".{}", key).digest()) + b"\r\n"],
        "/stripe": [b"stripe-signature: t=" + wire + b",v1=" + code(wire + b".{}").hexdigest().encode() + b"\r\n"]}
    for path, fields in attempts.items():
        assert raw(hook, *head(path, fields))[0] == 401, (path, stamp)


def test_other_spellings_of_a_signature_or_a_path_are_refused(make_hook):
    hook = make_hook([github_route(TRUE), {"name": "other", "path": "/other", "action": TRUE,
                                           "verify": {"kind": "github", "secrets": value("another secret")}}])
    body = b'{"a":1}'
    right = github(body)
    signature = right["x-hub-signature-256"]
    spellings = [signature.upper(), signature.replace("sha256=", "sha256=0x"), signature + "00", signature[:-2], signature[:-1], "sha256=",
                 signature.replace("sha256=", "SHA256="), signature[7:], "sha1=" + hmac.new(GITHUB_SECRET.encode(), body, hashlib.sha1).hexdigest(),
                 signature + "," + signature, signature[:-1] + "g", '"' + signature + '"']
    for spelling in spellings:
        assert post(hook, "/github", {**right, "x-hub-signature-256": spelling}.items(), body) == 401, spelling
    # The old signature with SHA-1 beside none proves nothing.
    sha1 = {"x-hub-signature": spellings[8], "x-github-delivery": "1"}
    assert post(hook, "/github", sha1.items(), body) == 401
    # What is genuine for one route is nothing for a route with another secret.
    assert post(hook, "/other", right.items(), body) == 401
    for path in ("/github/", "//github", "/./github", "/x/../github", "/%67ithub", "/GITHUB", "/github;a", "/github%00", "/github%3fx"):
        assert post(hook, path, right.items(), body) in (400, 404), path
    assert hook.ask("events", "list") == []
    assert post(hook, "/github?x=1", right.items(), body) == 202


def test_a_signature_in_the_trailers_is_none_and_chunks_are_one_body(make_hook):
    hook = make_hook([github_route({"exec": ["/bin/cat"]})], limits={"bodyBytes": 100})
    body = b'{"a":1}'
    fields = lines_of(github(body).items())
    head = "POST /github HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    chunks = b"".join(b"1;ext=%d\r\n%c\r\n" % (n, byte) for n, byte in enumerate(body))
    assert raw(hook, head, "\r\n", chunks, "0\r\n", fields, "\r\n")[0] == 401
    assert raw(hook, head, fields, "\r\n", chunks, "0\r\n\r\n")[0] == 202
    # Two framings, and a body that ends early: neither is a request.
    assert raw(hook, head, fields, f"Content-Length: {len(body)}\r\n\r\n", chunks, "0\r\n\r\n")[0] == 400
    assert raw(hook, "POST /github HTTP/1.1\r\nHost: h\r\n", fields, "Content-Length: 99\r\n\r\n", body, shut=True)[0] in (None, 400)
    assert raw(hook, head, fields, "\r\n", "64\r\n", "x" * 100, "\r\n1\r\nx\r\n0\r\n\r\n")[0] == 413
    run, = hook.settled()
    assert run["output"] == body.decode()


def test_a_body_that_is_too_long_or_for_nobody_is_refused_before_it_is_sent(make_hook):
    hook = make_hook([github_route(TRUE)], limits={"bodyBytes": 1000})
    for path, length, status in [("/github", 1001, 413), ("/github", 1 << 40, 413), ("/nothing", 1000, 404), ("/github", 1000, 100)]:
        head = f"POST {path} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        assert raw(hook, head)[0] == status, (path, length)
    assert raw(hook, "PUT /github HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")[0] == 405


def test_bodies_of_strangers_take_no_more_memory_than_is_set_aside(make_hook):
    hook = make_hook([github_route(TRUE)], limits={"bodyBytes": 1000, "receivingBytes": 4000, "retryAfterSeconds": 9})
    holders = []
    for _ in range(4):
        sock = socket.create_connection(("127.0.0.1", hook.port), timeout=60)
        sock.sendall(b"POST /github HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + b"x" * 999)
        holders.append(sock)

    body = b"12345"  # 3,996 bytes are taken
    answer = lambda: hook.post("/github", body, github(body, delivery="d"))
    until("the stranger's bytes are in", lambda: answer().status == 503)
    assert answer().headers["retry-after"] == "9"
    assert hook.post("/github", b"1234", github(b"1234", delivery="e")).status == 202, "what fits is taken"
    for sock in holders:
        sock.close()
    until("the room is free again", lambda: answer().status == 202)
    assert len(hook.settled()) == 2


def test_connections_of_strangers_leave_descriptors_for_the_runs(make_hook):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        hook = make_hook([github_route({"exec": ["/bin/true"]}, retries={"attempts": 1})])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    strangers = [socket.create_connection(("127.0.0.1", hook.port), timeout=60) for _ in range(64)]
    try:
        late = socket.create_connection(("127.0.0.1", hook.port), timeout=60)
        try:
            assert late.recv(1) == b"", "one more than half of the descriptors"
        except ConnectionResetError:
            pass
        body = b"{}"
        strangers[0].sendall(b"POST /github HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n" + lines_of(github(body).items()).encode() + b"\r\n{}")
        assert strangers[0].recv(65536).startswith(b"HTTP/1.1 202")
        assert [r["state"] for r in hook.settled()] == ["succeeded"]
    finally:
        for sock in strangers:
            sock.close()


def test_json_that_is_deep_double_or_none_harms_nobody(make_hook, tmp_path):
    when = {"json": "/type", "equals": "wanted"}
    hook = make_hook([{"name": "r", "path": "/r", "verify": NONE, "when": when, "action": {"exec": ["/bin/cat"]}, "orderBy": "/key"}],
                     limits={"bodyBytes": 1 << 20})
    bodies = [b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"", b"{}x", b'{"type":"wanted"', b'{"type":"other","type":"wanted"}',
              b'{"type":"wanted","key":' + b"[" * 1000 + b"]" * 1000 + b"}", b'{"type":"\\ud800"}', b'{"type":["wanted"]}',
              b"[" + b"0," * 400_000 + b"0]"]
    for body in bodies:
        assert hook.post("/r", body).status == 202, body[:40]
    assert [e["wanted"] for e in hook.ask("events", "list")] == [False] * len(bodies)
    assert hook.post("/r", b'{"type":"wanted","key":null}').status == 202
    assert [r["state"] for r in hook.settled()] == ["succeeded"]


def test_a_full_disk_is_told_and_what_was_acknowledged_runs(make_hook, small_disk, tmp_path):  # noqa: F811
    action = {"exec": [script(tmp_path, '#!/bin/sh\necho "$HOOK_DELIVERY_ID" >> "$DIR/done"\n')], "env": {"DIR": str(tmp_path)}}
    hook = make_hook([github_route(action, concurrency=4)], data=str(small_disk / "data"), limits={"retryAfterSeconds": 5})
    acknowledged = []

    def send(number):
        body = json.dumps({"number": number, "filler": "x" * 20_000}).encode()
        answer = hook.post("/github", body, github(body, delivery=f"d{number}"))
        if answer.status == 202:
            acknowledged.append(f"d{number}")
        return answer

    assert send(0).status == 202
    fill_disk(small_disk)
    number = 1
    # The file may still have some pages of its own.
    while (answer := send(number)).status == 202:
        number += 1
        assert number < 1000, "the disk is never full"
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert hook.notes("store.failed")
    refused = f"d{number}"
    # While it is full it is killed, and cannot be started: it says why.
    hook.kill()
    hook.start(wait=False)
    until("it has started, or says why not", lambda: hook.process.poll() is not None or hook.notes("hook.started")[1:])
    if hook.process.poll() is not None:
        assert "disk is full" in hook.tail() or "no room left" in hook.tail(), hook.tail()
        (small_disk / "ballast").unlink()
        hook.start()
    else:
        (small_disk / "ballast").unlink()
    until("there is room again", lambda: send(number).status == 202)
    hook.settled()
    until("everything has run", lambda: {r["state"] for r in hook.settled()} == {"succeeded"})
    assert {e["delivery"] for e in hook.ask("events", "list", "--limit", "10000")} == set(acknowledged)
    assert set((tmp_path / "done").read_text().split()) == set(acknowledged) and refused in acknowledged


def test_a_careless_pattern_and_a_hostile_body_cost_so_many_steps_and_lose_nothing(make_hook):
    when = {"json": "/text", "matches": "(a+)+$"}
    hook = make_hook([{"name": "in", "path": "/in", "verify": NONE, "action": TRUE, "when": when},
                      {"name": "not", "path": "/not", "verify": NONE, "action": TRUE, "when": {"not": when}},
                      {"name": "many", "path": "/many", "verify": NONE, "action": TRUE, "when": {"query": "q", "matches": "(a+)+$"}}])
    hostile = json.dumps({"text": "a" * 1023 + "b"}).encode()
    # Minutes, each of them, before there was a bound; and the values of one request share it.
    for target, body in ("/in", hostile), ("/not", hostile), ("/many?" + "&".join(["q=" + "a" * 40 + "b"] * 100), b""):
        assert hook.post(target, body).status == 202, target
    assert hook.post("/in", b'{"text": "aaa"}').status == 202
    assert [(r["event"], r["state"]) for r in hook.settled()] == [(4, "succeeded")]
    events = {e["id"]: e for e in hook.ask("events", "list")}
    assert {n: e["wanted"] for n, e in events.items()} == {1: False, 2: False, 3: False, 4: True}
    why = "the search for “(a+)+$” needs more than the steps of “limits.matchSteps”"
    assert [events[n]["filter_note"] for n in (1, 2, 3, 4)] == [why, why, why, None]
    assert [(n["route"], n["stored_event"], n["why"]) for n in hook.notes("filter.undecided")] == [
        ("in", "1", why), ("not", "2", why), ("many", "3", why)]
    assert 'culvert_hook_events_total{route="in",outcome="undecided"} 1' in hook.request("GET", "/metrics").text
    data = ["--data", hook.config["data"]]
    assert hook.command("events", "list", *data).stdout.count("undecided") == 3
    shown = hook.command("events", "show", "1", *data).stdout
    assert f"not run: {why}; “culvert-hook events replay 1” runs it" in shown, shown
    assert hook.ask("events", "replay", "1") == [{"done": "replay", "run": 2}]
    assert {r["event"]: r["state"] for r in hook.settled()} == {1: "succeeded", 4: "succeeded"}


def test_the_steps_of_searches_can_be_set(make_hook):
    route = {"name": "in", "path": "/in", "verify": NONE, "action": TRUE, "when": {"json": "", "matches": "(?:a|b)+[cd]"}}
    hook = make_hook([route], limits={"matchSteps": 1000})
    assert hook.post("/in", json.dumps("ab" * 50).encode()).status == 202
    hook.stop()
    hook.config["limits"]["matchSteps"] = 1_000_000
    hook.write()
    hook.start()
    assert hook.post("/in", json.dumps("ab" * 50).encode()).status == 202
    notes = [e["filter_note"] is not None for e in hook.ask("events", "list")]
    assert notes == [False, True]
