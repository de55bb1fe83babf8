"""Every sender's own package signs; the listener takes exactly that."""
import base64
import hashlib
import hmac
import json
import random
import time
import uuid
from datetime import datetime, timezone

import nacl.signing
import pytest
import standardwebhooks
import stripe
from inkbox.signing_keys import verify_webhook as inkbox_verify
from slack_sdk.signature import SignatureVerifier
from svix.webhooks import Webhook as Svix
from twilio.request_validator import RequestValidator

from support.hooks import github
from support.waiting import until

KEY = nacl.signing.SigningKey(bytes(range(1, 33)))
PUBLIC = bytes(KEY.verify_key)
WHSEC = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
OTHER_WHSEC = "whsec_" + base64.b64encode(b"another secret of 24 byt").decode()
TWILIO_URL = "https://hooks.example"


def standard(body, at, secret=WHSEC):
    id = "msg_" + uuid.uuid4().hex
    signature = standardwebhooks.Webhook(secret).sign(id, datetime.fromtimestamp(at, timezone.utc), body.decode())
    return {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": signature}


def standard_ed25519(body, at):
    id = "msg_" + uuid.uuid4().hex
    signed = KEY.sign(f"{id}.{at}.".encode() + body).signature
    return {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": "v1a," + base64.b64encode(signed).decode()}


def svix(body, at):
    id = "msg_" + uuid.uuid4().hex
    signature = Svix(WHSEC).sign(id, datetime.fromtimestamp(at, timezone.utc), body.decode())
    return {"svix-id": id, "svix-timestamp": str(at), "svix-signature": signature}


def stripe_fields(body, at):
    return {"stripe-signature": stripe.WebhookSignature.generate_signature_header(body.decode(), "whsec_stripe", at)}


def slack(body, at):
    signature = SignatureVerifier("slack-secret").generate_signature(timestamp=str(at), body=body)
    return {"x-slack-request-timestamp": str(at), "x-slack-signature": signature}


def inkbox(body, at):
    id = str(uuid.uuid4())
    code = hmac.new(b"inkbox-key", f"{id}.{at}.".encode() + body, hashlib.sha256).hexdigest()
    fields = {"x-inkbox-request-id": id, "x-inkbox-timestamp": str(at), "x-inkbox-signature": "sha256=" + code}
    assert inkbox_verify(payload=body, headers=fields, secret="whsec_inkbox-key")
    return fields


def shopify(body, at):
    code = base64.b64encode(hmac.new(b"shopify-secret", body, hashlib.sha256).digest()).decode()
    return {"x-shopify-hmac-sha256": code, "x-shopify-webhook-id": str(uuid.uuid4())}


def twilio(body, at):
    # A JSON body is covered by its digest in the query.
    target = "/twilio?bodySHA256=" + hashlib.sha256(body).hexdigest()
    return {"x-twilio-signature": RequestValidator("twilio-token").compute_signature(TWILIO_URL + target, {}), ":target": target}


def discord(body, at):
    return {"x-signature-timestamp": str(at), "x-signature-ed25519": KEY.sign(str(at).encode() + body).signature.hex()}


def generic(body, at):
    code = hmac.new(b"generic", f"{at}|".encode() + body, hashlib.sha512).digest()
    return {"x-time": str(at), "x-sig": "v=" + base64.b64encode(code).decode()}


def value(text):
    return [{"value": text}]


SENDERS = {
    "standard": (standard, {"kind": "standard-webhooks", "secrets": value(WHSEC)}),
    "culvert": (standard, {"kind": "culvert", "secrets": value(WHSEC)}),
    "standard-v1a": (standard_ed25519,
                     {"kind": "standard-webhooks", "publicKeys": value("whpk_" + base64.b64encode(PUBLIC).decode())}),
    "svix": (svix, {"kind": "svix", "secrets": value(WHSEC)}),
    "stripe": (stripe_fields, {"kind": "stripe", "secrets": value("whsec_stripe")}),
    "slack": (slack, {"kind": "slack", "secrets": value("slack-secret")}),
    "inkbox": (inkbox, {"kind": "inkbox", "secrets": value("whsec_inkbox-key")}),
    "shopify": (shopify, {"kind": "shopify", "secrets": value("shopify-secret")}),
    "github": (lambda body, at: github(body), {"kind": "github", "secrets": value("github-secret")}),
    "twilio": (twilio, {"kind": "twilio", "secrets": value("twilio-token")}),
    "discord": (discord, {"kind": "discord", "publicKeys": value(PUBLIC.hex())}),
    "generic": (generic, {"kind": "hmac", "secrets": value("generic"), "hash": "sha512", "encoding": "base64", "header": "X-Sig",
                          "prefix": "v=", "signed": "{timestamp}|{body}", "timestampHeader": "X-Time"}),
}
TIMED = [name for name in SENDERS if name not in ("shopify", "github", "twilio")]


@pytest.fixture
def hook(make_hook):
    return make_hook([{"name": name, "path": "/" + name, "verify": verify, "action": {"exec": ["/bin/true"]},
                       "url": TWILIO_URL, "concurrency": 4} for name, (_, verify) in SENDERS.items()])


def payload():
    return json.dumps({"id": "evt_" + uuid.uuid4().hex, "event_id": uuid.uuid4().hex, "type": 2, "text": "wörld"}).encode()


def post(hook, name, fields, body):
    fields = dict(fields)
    return hook.post(fields.pop(":target", "/" + name), body, fields)


def flipped(body, random):
    changed = bytearray(body)
    changed[random.randrange(len(body))] ^= 1 << random.randrange(7)
    return bytes(changed)


def test_what_the_senders_sign_is_taken_and_one_changed_bit_is_not(hook):
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    for name, (sign, _) in SENDERS.items():
        for _ in range(5):
            body = payload()
            fields = sign(body, int(time.time()))
            for _ in range(10):
                answer = post(hook, name, fields, flipped(body, chance))
                assert answer.status == 401, f"{name}: a changed body is taken, seed {seed}"
                assert json.loads(answer.text) == {"type": "about:blank", "title": "The sender is not proven", "status": 401}
            assert post(hook, name, fields, body).status == 202, f"{name}: refused: {hook.notes('webhook.refused')[-1:]}"
    runs = hook.settled()
    assert len(runs) == 5 * len(SENDERS) and {r["state"] for r in runs} == {"succeeded"}
    whys = {n["why"] for n in hook.notes("webhook.refused")}
    assert whys <= {"wrong_signature", "wrong_body_digest"}, whys


def test_old_and_early_events_are_refused_and_the_tolerance_is_five_minutes(hook):
    for name in TIMED:
        sign = SENDERS[name][0]
        for age, status in [(-310, 401), (-290, 202), (290, 202), (310, 401)]:
            body = payload()
            assert post(hook, name, sign(body, int(time.time()) - age), body).status == status, (name, age)
    assert {n["why"] for n in hook.notes("webhook.refused")} == {"too_old", "too_new"}


def test_a_second_delivery_is_the_same_event_and_a_replay_under_another_id_is_refused(make_hook):
    verify = {"kind": "discord", "publicKeys": value(PUBLIC.hex()), "deliveryID": {"header": "x-id"}}
    github_verify = {"kind": "github", "secrets": value("github-secret"), "replayWindowSeconds": 600}
    hook = make_hook([
        {"name": "timed", "path": "/timed", "verify": verify, "action": {"exec": ["/bin/true"]}},
        {"name": "window", "path": "/window", "verify": github_verify, "action": {"exec": ["/bin/true"]}},
        {"name": "signed", "path": "/signed", "verify": SENDERS["standard"][1], "action": {"exec": ["/bin/true"]}},
    ])
    body = payload()
    fields = discord(body, int(time.time()))
    assert post(hook, "timed", {**fields, "x-id": "1"}, body).status == 202
    assert post(hook, "timed", {**fields, "x-id": "1"}, body).status == 202
    assert post(hook, "timed", {**fields, "x-id": "2"}, body).status == 401
    fields = github(body)
    assert [post(hook, "window", fields, body).status for _ in range(2)] == [202, 202]
    assert post(hook, "window", {**fields, "x-github-delivery": "other"}, body).status == 401
    # Standard Webhooks signs the id: sent again, later and signed anew, it is still the same event.
    first = standard(body, int(time.time()))
    assert post(hook, "signed", first, body).status == 202
    again = standardwebhooks.Webhook(WHSEC).sign(first["webhook-id"], datetime.fromtimestamp(int(time.time()) + 1, timezone.utc), body.decode())
    later = {"webhook-id": first["webhook-id"], "webhook-timestamp": str(int(time.time()) + 1), "webhook-signature": again}
    assert post(hook, "signed", later, body).status == 202
    assert len(hook.settled()) == 3
    assert {n["why"] for n in hook.notes("webhook.refused")} == {"replayed"}


def test_two_secrets_are_active_while_one_is_rotated(hook):
    import signal
    body = payload()
    assert post(hook, "standard", standard(body, int(time.time()), OTHER_WHSEC), body).status == 401
    route = next(r for r in hook.config["routes"] if r["name"] == "standard")
    for secrets, statuses in [([OTHER_WHSEC, WHSEC], (202, 202)), ([OTHER_WHSEC], (401, 202))]:
        route["verify"]["secrets"] = [{"value": s} for s in secrets]
        hook.write()
        count = len(hook.notes("config.reloaded"))
        hook.process.send_signal(signal.SIGHUP)
        until("the configuration is read again", lambda: len(hook.notes("config.reloaded")) > count)
        for secret, status in zip((WHSEC, OTHER_WHSEC), statuses):
            body = payload()
            assert post(hook, "standard", standard(body, int(time.time()), secret), body).status == status
    verdicts = [e["verdict"]["secret"] for e in hook.ask("events", "list", "--route", "standard")]
    assert sorted(verdicts) == [0, 0, 1]


def test_slack_and_discord_get_their_handshakes_only_when_they_are_signed(hook):
    challenge, ping = b'{"type":"url_verification","challenge":"c0ffee"}', b'{"id":"1","type":1}'
    now = int(time.time())
    answer = post(hook, "slack", slack(challenge, now), challenge)
    assert (answer.status, answer.text) == (200, "c0ffee")
    answer = post(hook, "discord", discord(ping, now), ping)
    assert (answer.status, json.loads(answer.text)) == (200, {"type": 1})
    assert post(hook, "slack", {}, challenge).status == 401
    assert post(hook, "discord", {}, ping).status == 401
    assert hook.ask("events", "list") == []


def test_what_send_makes_is_what_the_listener_and_the_senders_packages_take(hook, tmp_path):
    file = tmp_path / "payload.json"
    for name in SENDERS:
        if name in ("standard-v1a", "discord"):
            continue  # the configuration has the public key only; nothing can be signed with it
        file.write_bytes(payload())
        target = "/twilio" if name == "twilio" else "/" + name
        words = ["--content-type", "application/x-www-form-urlencoded"] if name == "twilio" else []
        out = hook.command("send", "--as", name, "--config", str(hook.file), "--url", f"http://127.0.0.1:{hook.port}{target}", *words,
                           str(file))
        assert out.returncode == 0, f"{name}: {out.stdout}{out.stderr}"
    secret = tmp_path / "secret"
    secret.write_text(WHSEC + "\n")
    out = hook.command("send", "--as", "standard-webhooks", "--secret-file", str(secret), "--url", "http://h.example/", "--print", str(file))
    fields = dict(line.split(": ", 1) for line in out.stdout.splitlines())
    assert standardwebhooks.Webhook(WHSEC).verify(file.read_bytes(), fields)
    secret.write_text("whsec_stripe")
    out = hook.command("send", "--as", "stripe", "--secret-file", str(secret), "--url", "http://h.example/", "--print", str(file))
    fields = dict(line.split(": ", 1) for line in out.stdout.splitlines())
    assert stripe.WebhookSignature.verify_header(file.read_text(), fields["stripe-signature"], "whsec_stripe", 300)
