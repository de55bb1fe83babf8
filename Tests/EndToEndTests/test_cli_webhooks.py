"""`culvert webhooks`: what is subscribed, what was delivered, and once more."""
import http.server
import json
import queue
import threading
import uuid

import pytest

from support.cli import AUTHENTICATION, NOT_FOUND, USAGE, good, key_of, log_in, mode, read
from support.processes import Account, Service, new_name
from support.waiting import until

OPEN = {"CULVERT_WEBHOOK_ALLOW_HTTP": "yes", "CULVERT_WEBHOOK_ALLOW_PRIVATE_ADDRESSES": "yes"}


class Receiver:
    """Takes every delivery."""

    def __init__(self):
        self.got = got = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                got.put((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(204)
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A service that may call this machine, and a home."""
    service = Service(tmp_path_factory.mktemp("open"), env=OPEN).init().start()
    yield service, Account(tmp_path_factory.mktemp("home"), service)
    service.stop()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def test_a_webhook_from_birth_to_death(own, receiver):
    service, account = own
    made = read(account.run("webhooks", "create", receiver.url, "--types", "tunnel.created,tunnel.deleted", "--description", "d", "--json"))
    assert made["secret"].startswith("whsec_") and made["url"] == receiver.url
    assert made["event_types"] == ["tunnel.created", "tunnel.deleted"] and made["description"] == "d"
    listed = read(account.run("webhooks", "list", "--json"))["subscriptions"]
    assert made["id"] in [w["id"] for w in listed] and "secret" not in json.dumps(listed)
    assert read(account.run("webhooks", "get", made["id"], "--json"))["url"] == receiver.url
    changed = read(account.run("webhooks", "update", made["id"], "--types", "tunnel.*", "--clear-description", "--json"))
    assert changed["event_types"] == ["tunnel.*"] and changed.get("description") is None
    rotated = read(account.run("webhooks", "rotate-secret", made["id"], "--json"))
    assert rotated["secret"].startswith("whsec_") and rotated["secret"] != made["secret"]
    assert read(account.run("webhooks", "delete", made["id"], "--json"))["deleted"] is True
    assert account.run("webhooks", "get", made["id"]).returncode == NOT_FOUND


def test_a_delivery_is_listed_shown_and_repeated(own, receiver):
    service, account = own
    hook = read(account.run("webhooks", "create", receiver.url, "--types", "tunnel.created", "--json"))["id"]
    assert "Nothing" in good(account.run("webhooks", "deliveries", hook))
    service.tunnel()
    first = receiver.got.get(timeout=30)

    def listed():
        return read(account.run("webhooks", "deliveries", hook, "--json"))["deliveries"]
    until("it is written down", lambda: [d["status"] for d in listed()] == ["delivered"])
    delivery = listed()[0]
    assert delivery["event_type"] == "tunnel.created" and delivery["attempt_count"] == 1 and delivery["last_status"] == 204
    assert delivery["id"] in good(account.run("webhooks", "deliveries", hook))
    again = read(account.run("webhooks", "replay", delivery["id"], "--json"))
    assert again["replay_of"] == delivery["id"]
    second = receiver.got.get(timeout=30)
    assert first[0]["webhook-id"] == second[0]["webhook-id"] and json.loads(first[1]) == json.loads(second[1])
    until("it is written down", lambda: read(account.run("webhooks", "delivery", again["id"], "--json"))["status"] == "delivered")
    assert "delivered" in good(account.run("webhooks", "delivery", again["id"]))
    good(account.run("webhooks", "delete", hook))


def test_words_for_people(own, receiver, tmp_path):
    service, account = own
    out = account.run("webhooks", "create", receiver.url, "--types", "key.*")
    secret = next(l for l in good(out).splitlines() if l.startswith("webhook secret")).split()[-1]
    assert secret.startswith("whsec_") and "once" in out.stderr
    out = account.run("webhooks", "create", receiver.url, "--types", "key.*", "--secret-file", str(tmp_path / "secret"))
    assert mode(tmp_path / "secret") == 0o600 and (tmp_path / "secret").read_text().strip() not in good(out) + out.stderr
    listed = good(account.run("webhooks", "list"))
    assert listed.startswith("ID") and receiver.url in listed and secret not in listed


def test_a_webhook_for_one_identity(own, receiver):
    service, account = own
    name = new_name()
    identity = read(account.run("identities", "create", name, "--json"))
    made = read(account.run("webhooks", "create", receiver.url, "--types", "identity.updated", "--identity", name, "--json"))
    assert made["agent_identity_id"] == identity["id"]
    good(account.run("webhooks", "delete", made["id"]))


@pytest.mark.parametrize("words, status, said", [
    (["create", "https://hooks.example/"], USAGE, "--types"),
    (["create", "https://hooks.example/", "--types", "tunnel.creatd"], USAGE, "did you mean tunnel.created?"),
    (["create", "https://hooks.example/", "--types", "quite.another"], USAGE, "type"),
    (["create", "no-url", "--types", "tunnel.*"], USAGE, "url"),
    (["create", "https://hooks.example/", "--types", "tunnel.*", "--identity", "nobody-of-that-name"], NOT_FOUND, "identities list"),
    (["get", str(uuid.uuid4())], NOT_FOUND, "culvert webhooks list"),
    (["update", str(uuid.uuid4())], USAGE, "nothing to change"),
    (["delete", "no-id"], NOT_FOUND, "culvert webhooks list"),
    (["deliveries", str(uuid.uuid4())], NOT_FOUND, "webhooks"),
    (["delivery", str(uuid.uuid4())], NOT_FOUND, "deliveries"),
    (["replay", str(uuid.uuid4())], NOT_FOUND, "deliveries"),
])
def test_what_goes_wrong_is_told(own, words, status, said):
    out = own[1].run("webhooks", *words)
    assert out.returncode == status and said in out.stderr and out.stdout == "", out
    assert json.loads(own[1].run("webhooks", *words, "--json").stderr)["error"]["exit_code"] == status


def test_where_the_service_may_not_go_is_told(account):
    out = account.run("webhooks", "create", "https://127.0.0.1/", "--types", "tunnel.*")
    assert out.returncode == USAGE and "public internet" in out.stderr
    out = account.run("webhooks", "create", "http://hooks.example/", "--types", "tunnel.*")
    assert out.returncode == USAGE and "https" in out.stderr


def test_an_agents_key_may_not_see_them(own, tmp_path):
    service, account = own
    name = new_name()
    good(account.run("identities", "create", name))
    out = log_in(tmp_path / "agent", service, key_of(account, name)).run("webhooks", "list")
    assert out.returncode == AUTHENTICATION and "administrator" in out.stderr
