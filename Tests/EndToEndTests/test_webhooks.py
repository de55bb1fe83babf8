"""Webhooks out: signed, retried, and never to where they must not go. Verified by the published packages."""
import json
import socket
import subprocess
import threading
import time

import pytest
from inkbox.signing_keys import verify_webhook
from standardwebhooks import Webhook, WebhookVerificationError

from support.processes import new_name
from support.receiver import Receiver
from support.waiting import until

BASE = "/api/v1/webhooks/subscriptions"
OPEN = {"CULVERT_WEBHOOK_ALLOW_HTTP": "yes", "CULVERT_WEBHOOK_ALLOW_PRIVATE_ADDRESSES": "yes"}


@pytest.fixture(scope="module")
def open_service(tmp_path_factory):
    """A service that may call this machine."""
    from support.processes import Service
    own = Service(tmp_path_factory.mktemp("open"), env=OPEN).init().start()
    yield own
    own.stop()


@pytest.fixture
def receive():
    made = []

    def make(*arguments, **options):
        made.append(Receiver(*arguments, **options))
        return made[-1]
    yield make
    for one in made:
        one.close()


def subscribe(service, url, types=("*",), **members):
    answer = service.call("POST", BASE, {"url": url, "event_types": list(types), **members})
    assert answer.status == 201, answer
    return answer.json()


@pytest.fixture
def hook(open_service, receive):
    """hook(types, answer) -> a receiver and its subscription, deleted afterwards."""
    made = []

    def make(types=("*",), answer=lambda number: 204, **members):
        receiver = receive(answer)
        made.append(subscribe(open_service, receiver.url(), types, **members))
        return receiver, made[-1]
    yield make
    for subscription in made:
        open_service.call("DELETE", f"{BASE}/{subscription['id']}")


def deliveries(service, subscription):
    return service.call("GET", f"{BASE}/{subscription['id']}/deliveries").json()["deliveries"]


def test_a_delivery_is_signed_as_standard_webhooks_has_it(open_service, hook):
    receiver, subscription = hook(["tunnel.created"])
    tunnel = open_service.tunnel()
    got = receiver.next()
    body = Webhook(subscription["secret"]).verify(got.body, got.headers)
    assert (body["type"], body["tunnel_id"], body["organization_id"]) == ("tunnel.created", tunnel.id, open_service.org)
    assert got.headers["webhook-id"] == body["id"]
    assert got.headers["content-type"] == "application/json"
    assert tunnel.secret.encode() not in got.body
    with pytest.raises(WebhookVerificationError):
        Webhook(subscription["secret"]).verify(got.body + b" ", got.headers)
    until("it is written down", lambda: [d["status"] for d in deliveries(open_service, subscription)] == ["delivered"])
    entry = deliveries(open_service, subscription)[0]
    assert (entry["webhook_id"], entry["last_status"], entry["attempt_count"], entry["last_error"]) == (body["id"], 204, 1, None)
    assert "secret" not in open_service.call("GET", f"{BASE}/{subscription['id']}").json()


def test_an_identity_with_a_signing_key_signs_too(open_service, hook):
    handle = new_name()
    identity = open_service.call("POST", "/api/v1/identities", {"agent_handle": handle}).json()
    key = open_service.call("POST", f"/api/v1/identities/{handle}/signing-key", {}).json()["signing_key"]
    receiver, subscription = hook(["identity.updated"], agent_identity_id=identity["id"])
    open_service.call("POST", "/api/v1/identities", {"agent_handle": new_name()})
    open_service.call("PATCH", f"/api/v1/identities/{handle}", {"display_name": "New"})
    got = receiver.next()
    assert json.loads(got.body)["identity_id"] == identity["id"]
    assert verify_webhook(payload=got.body, headers=got.headers, secret=key)
    assert not verify_webhook(payload=got.body + b" ", headers=got.headers, secret=key)
    Webhook(subscription["secret"]).verify(got.body, got.headers)


def test_both_secrets_sign_after_a_rotation(open_service, hook):
    receiver, subscription = hook(["tunnel.created"])
    new = open_service.call("POST", f"{BASE}/{subscription['id']}/rotate-secret").json()["secret"]
    open_service.tunnel()
    got = receiver.next()
    for secret in (subscription["secret"], new):
        Webhook(secret).verify(got.body, got.headers)


def test_what_fails_is_tried_again_with_the_same_id(open_service, hook):
    receiver, subscription = hook(["tunnel.created"], answer=lambda number: 500 if number == 0 else 200)
    open_service.tunnel()
    first, second = receiver.take(2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] and first.body == second.body
    until("it is written down", lambda: deliveries(open_service, subscription)[0]["status"] == "delivered")
    assert deliveries(open_service, subscription)[0]["attempt_count"] == 2


def test_a_redirect_is_not_followed(open_service, hook, receive):
    trap = receive()

    def redirect(handler):
        handler.send_response(307)
        handler.send_header("location", trap.url())
        handler.send_header("content-length", "0")
        handler.end_headers()
    receiver, subscription = hook(["tunnel.created"], answer=lambda number: redirect)
    open_service.tunnel()
    receiver.next()
    until("it is written down", lambda: deliveries(open_service, subscription)[0]["last_status"] == 307)
    entry = deliveries(open_service, subscription)[0]
    assert entry["status"] == "pending" and "redirect" in entry["last_error"]
    assert trap.got.empty()


def test_an_endless_answer_is_not_read(open_service, hook):
    written = []

    def flood(handler):
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                written.append(65536)
        except OSError:
            written.append(None)
    receiver, subscription = hook(["tunnel.created"], answer=lambda number: flood)
    open_service.tunnel()
    receiver.next()
    until("it counts as delivered", lambda: deliveries(open_service, subscription)[0]["status"] == "delivered")
    until("the connection is closed", lambda: written and written[-1] is None)


def test_a_delivery_again_on_demand(open_service, hook):
    receiver, subscription = hook(["tunnel.created"])
    open_service.tunnel()
    first = receiver.next()
    entry = deliveries(open_service, subscription)[0]
    answer = open_service.call("POST", f"/api/v1/webhooks/deliveries/{entry['id']}/replay")
    assert answer.status == 202 and answer.json()["replay_of"] == entry["id"]
    second = receiver.next()
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    Webhook(subscription["secret"]).verify(second.body, second.headers)


def test_a_slow_receiver_holds_up_nobody(open_service, hook):
    release = threading.Event()

    def stall(handler):
        release.wait(60)
        handler.send_response(204)
        handler.end_headers()
    slow, _ = hook(["tunnel.created"], answer=lambda number: stall)
    quick, _ = hook(["tunnel.created"])
    for _ in range(10):
        open_service.tunnel()
    try:
        assert len(quick.take(10)) == 10
    finally:
        release.set()


def test_nothing_that_was_acknowledged_is_lost_over_a_kill(make_service, receive):
    own = make_service(env=OPEN)
    down = socket.socket()
    down.bind(("127.0.0.1", 0))
    port = down.getsockname()[1]
    subscription = subscribe(own, f"http://127.0.0.1:{port}/", ["tunnel.created"])
    made = [own.tunnel().id for _ in range(5)]
    own.kill()
    down.close()
    receiver = receive()
    # Where it was to go does not answer; after the restart it is found elsewhere.
    own.start()
    assert own.call("PATCH", f"{BASE}/{subscription['id']}", {"url": receiver.url()}).status == 200
    got = set()
    while got != set(made):
        delivered = receiver.next(30)
        got.add(Webhook(subscription["secret"]).verify(delivered.body, delivered.headers)["tunnel_id"])


def test_a_drain_waits_for_the_answer(make_service, receive):
    own = make_service(env=OPEN)
    came = threading.Event()

    def answer(handler):
        came.set()
        time.sleep(0.5)  # The receiver's own time; nothing is measured by it.
        handler.send_response(204)
        handler.send_header("content-length", "0")
        handler.end_headers()
    receiver = receive(lambda number: answer)
    subscription = subscribe(own, receiver.url(), ["tunnel.created"])
    own.tunnel()
    assert came.wait(20)
    own.stop()
    own.start()
    assert [(d["status"], d["attempt_count"]) for d in deliveries(own, subscription)] == [("delivered", 1)]


# Where deliveries must not go

@pytest.mark.parametrize("url", [
    "http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://192.168.1.1/", "https://169.254.169.254/",
    "https://[::ffff:127.0.0.1]/", "https://[fe80::1]/", "https://[fd00::1]/", "https://100.64.0.1/", "https://0.0.0.0/", "https://224.0.0.1/",
    "https://localhost/", "https://me.localhost/", "https://u:p@example.com/", "gopher://example.com/", "https://example.com/#f", "//x", ""])
def test_a_url_that_is_refused_at_once(service, url):
    answer = service.call("POST", BASE, {"url": url, "event_types": ["*"]})
    assert answer.status == 422 and answer.json()["errors"][0]["pointer"] == "/url", answer


@pytest.mark.parametrize("host", ["0x7f000001", "2130706433", "0177.0.0.1", "127.1", "127.0.0.1."])
def test_other_spellings_of_loopback_are_found_when_they_are_called(make_service, receive, host):
    own = make_service(env={"CULVERT_WEBHOOK_ALLOW_HTTP": "yes"})
    receiver = receive()
    answer = own.call("POST", BASE, {"url": receiver.url(host=host), "event_types": ["tunnel.created"]})
    if answer.status == 422:
        return
    own.tunnel()
    until("it was tried", lambda: deliveries(own, answer.json())[0]["attempt_count"] >= 1)
    entry = deliveries(own, answer.json())[0]
    assert entry["status"] == "pending" and entry["last_status"] is None
    assert "public internet" in entry["last_error"] or "resolved" in entry["last_error"]
    assert receiver.got.empty()


def test_a_name_that_points_to_this_machine_is_not_called(make_service, receive):
    own = make_service(env={"CULVERT_WEBHOOK_ALLOW_HTTP": "yes"})
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, 80)
    except OSError:
        pytest.skip(f"this machine's own name, {name}, does not resolve")
    receiver = receive()
    subscription = subscribe(own, receiver.url(host=name), ["tunnel.created"])
    own.tunnel()
    until("it was tried", lambda: deliveries(own, subscription)[0]["attempt_count"] >= 1)
    assert "public internet" in deliveries(own, subscription)[0]["last_error"]
    assert receiver.got.empty()


# TLS

@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A CA and a certificate for hooks.localhost, by openssl."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA")
    (folder / "san").write_text("subjectAltName=DNS:hooks.localhost\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=hooks.localhost")
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "san",
            "-out", "leaf.pem")
    return folder


def test_over_tls_the_receiver_must_be_who_it_says(make_service, receive, certificates):
    own = make_service(env={**OPEN, "SSL_CERT_FILE": str(certificates / "ca.pem")})
    receiver = receive(tls=(certificates / "leaf.pem", certificates / "leaf.key"))
    right = subscribe(own, receiver.url(host="hooks.localhost"), ["tunnel.created"])
    wrong = subscribe(own, receiver.url(host="other.localhost"), ["tunnel.created"])
    own.tunnel()
    got = receiver.next()
    Webhook(right["secret"]).verify(got.body, got.headers)
    until("the other one was tried", lambda: deliveries(own, wrong)[0]["attempt_count"] >= 1)
    entry = deliveries(own, wrong)[0]
    assert entry["status"] == "pending" and entry["last_status"] is None and entry["last_error"]
    assert receiver.got.empty()


def test_an_unknown_authority_is_not_trusted(open_service, receive, certificates):
    receiver = receive(tls=(certificates / "leaf.pem", certificates / "leaf.key"))
    subscription = subscribe(open_service, receiver.url(host="hooks.localhost"), ["tunnel.created"])
    open_service.tunnel()
    until("it was tried", lambda: deliveries(open_service, subscription)[0]["attempt_count"] >= 1)
    assert receiver.got.empty()
    open_service.call("DELETE", f"{BASE}/{subscription['id']}")
