#!/usr/bin/env python3
"""Writes Fixtures/Webhooks/vectors.json: signed webhooks that the verifiers must take.

Vectors marked "documented" stand in the named document, signature and all; this script checks that they are right before it
writes them. The others are made by the sender's own package from PyPI, which shares no code with Culvert.

Needs: pip install standardwebhooks svix stripe slack_sdk twilio inkbox PyNaCl
"""
import base64
import hashlib
import hmac
import json
import pathlib
from datetime import datetime, timezone
from importlib.metadata import version

import nacl.signing
import standardwebhooks
import stripe
from inkbox.signing_keys import verify_webhook as inkbox_verify
from slack_sdk.signature import SignatureVerifier
from svix.webhooks import Webhook as Svix
from twilio.request_validator import RequestValidator

vectors = []


def add(name, scheme, secret, headers, body, *, source, documented=False, at=0, url="https://hooks.example/in", secret_form="text"):
    vectors.append({
        "name": name, "source": source, "documented": documented, "scheme": scheme, "secret": secret,
        "secret_form": secret_form, "received_at": at, "url": url, "headers": headers,
        "body_base64": base64.b64encode(body).decode(),
    })


def package(name):
    return f"made with {name} {version(name)} from PyPI"


def mac(key, message, kind=hashlib.sha256):
    return hmac.new(key, message, kind)


# Standard Webhooks and Svix
secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
message_id, seconds = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
made = standardwebhooks.Webhook(secret).sign(message_id, datetime.fromtimestamp(seconds, timezone.utc), body.decode())
assert made == signature
add("standard webhooks, the specification's own test", "standard-webhooks", secret,
    {"webhook-id": message_id, "webhook-timestamp": str(seconds), "webhook-signature": signature}, body, at=seconds,
    documented=True, secret_form="whsec",
    source="github.com/standard-webhooks/standard-webhooks, libraries/python/tests/test_webhooks.py, test_sign_function")
svix_id, svix_seconds, svix_body = "msg_loFOjxBNrRLzqYUf", 1731705121, b'{"event_type":"ping","data":{"success":true}}'
svix_secret, svix_signature = "whsec_plJ3nmyCDGBKInavdOK15jsl", "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
made = Svix(svix_secret).sign(svix_id, datetime.fromtimestamp(svix_seconds, timezone.utc), svix_body.decode())
assert made == svix_signature, made
add("svix, the manual's example", "svix", svix_secret,
    {"svix-id": svix_id, "svix-timestamp": str(svix_seconds), "svix-signature": svix_signature}, svix_body, at=svix_seconds,
    documented=True, secret_form="whsec", source="docs.svix.com/receiving/verifying-payloads/how-manual")
key = nacl.signing.SigningKey(bytes(range(32)))
for name, prefix in [("standard webhooks v1a", "webhook"), ("svix v1a", "svix")]:
    signed = key.sign(f"{message_id}.{seconds}.".encode() + body).signature
    add(name, {"webhook": "standard-webhooks", "svix": "svix"}[prefix], "whpk_" + base64.b64encode(bytes(key.verify_key)).decode(),
        {f"{prefix}-id": message_id, f"{prefix}-timestamp": str(seconds),
         f"{prefix}-signature": "v1,AAAA v1a," + base64.b64encode(signed).decode()}, body, at=seconds, secret_form="whpk",
        source=package("PyNaCl"))

# GitHub
signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
assert signature == "sha256=" + mac(b"It's a Secret to Everybody", b"Hello, World!").hexdigest()
add("github, the manual's test values", "github", "It's a Secret to Everybody",
    {"x-hub-signature-256": signature, "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"}, b"Hello, World!",
    documented=True, source="docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries, Testing the webhook payload validation")

# Slack
slack_secret, seconds = "8f742231b10e8888abcd99yyyzzz85a5", 1531420618
slack_body = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c")
signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
assert signature == SignatureVerifier(slack_secret).generate_signature(timestamp=str(seconds), body=slack_body)
add("slack, the manual's example", "slack", slack_secret,
    {"x-slack-request-timestamp": str(seconds), "x-slack-signature": signature}, slack_body, at=seconds, documented=True,
    source="docs.slack.dev/authentication/verifying-requests-from-slack")

# Twilio
url = "https://mycompany.com/myapp.php?foo=1&bar=2"
form = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309", "To": "+18005551212"}
signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
assert signature == RequestValidator("12345").compute_signature(url, form)
form_body = b"Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE"
form_type = {"content-type": "application/x-www-form-urlencoded"}
add("twilio, the manual's example", "twilio", "12345", {"x-twilio-signature": signature, **form_type}, form_body, url=url,
    documented=True, source="twilio.com/docs/usage/security, Validating requests")
shared = RequestValidator("shared-key-secret").compute_signature("https://mycompany.com:443/myapp.php", form, "HMAC_SHA256")
add("twilio, signed with a shared key and with the port in the URL", "twilio", "shared-key-secret",
    {"x-twilio-signature": shared, "x-twilio-webhooks-signature-settings": "key=k1,algorithm=HMAC_SHA256", **form_type},
    form_body, url="https://mycompany.com/myapp.php", source=package("twilio"))
json_body = b'{"property": "value", "boolean": true}'
json_url = "https://mycompany.com/myapp.php?bodySHA256=" + hashlib.sha256(json_body).hexdigest()
add("twilio, a JSON body", "twilio", "12345",
    {"x-twilio-signature": RequestValidator("12345").compute_signature(json_url, {}), "content-type": "application/json"},
    json_body, url=json_url, source=package("twilio"))

# Stripe
stripe_body, seconds = b'{"id":"evt_1","object":"event","data":{"object":{"amount":1099}}}', 1492774577
header = stripe.WebhookSignature.generate_signature_header(stripe_body.decode(), "whsec_test_secret", seconds)
add("stripe", "stripe", "whsec_test_secret", {"stripe-signature": header}, stripe_body, at=seconds, source=package("stripe"))
other = header.replace("v1=", "v1=" + "00" * 32 + ",v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39,v1=")
add("stripe, several signatures and a scheme for tests", "stripe", "whsec_test_secret", {"stripe-signature": other},
    stripe_body, at=seconds, source=package("stripe"))

# Inkbox
inkbox_body, inkbox_id, seconds = b'{"event_type":"message.received"}', "9f0c1f6e-7b1e-4b60-8f4e-0c9b2f8f1c11", 1790000000
signature = "sha256=" + mac(b"k3y", f"{inkbox_id}.{seconds}.".encode() + inkbox_body).hexdigest()
headers = {"x-inkbox-request-id": inkbox_id, "x-inkbox-timestamp": str(seconds), "x-inkbox-signature": signature}
assert inkbox_verify(payload=inkbox_body, headers=headers, secret="whsec_k3y")
add("inkbox", "inkbox", "whsec_k3y", headers, inkbox_body, at=seconds, secret_form="inkbox",
    source=f"made with Python's hmac, taken by inkbox {version('inkbox')} from PyPI")

# Shopify and GitLab publish no values; both rules are one line of Python.
shopify = base64.b64encode(mac(b"hush", b'{"order":1}').digest()).decode()
add("shopify", "shopify", "hush", {"x-shopify-hmac-sha256": shopify}, b'{"order":1}',
    source="made with Python's hmac after shopify.dev/docs/apps/build/webhooks/subscribe/https")
add("gitlab", "gitlab", "a-token", {"x-gitlab-token": "a-token"}, b"{}", source="docs.gitlab.com/user/project/integrations/webhooks")

# Discord
discord_body, seconds = b'{"id":"1","type":2}', 1790000000
add("discord", "discord", bytes(key.verify_key).hex(),
    {"x-signature-timestamp": str(seconds), "x-signature-ed25519": key.sign(str(seconds).encode() + discord_body).signature.hex()},
    discord_body, at=seconds, secret_form="hex", source=package("PyNaCl"))

path = pathlib.Path(__file__).parents[2] / "Fixtures/Webhooks/vectors.json"
path.write_text(json.dumps(vectors, indent=2, ensure_ascii=False) + "\n")
print(len(vectors), "vectors;", sum(v["documented"] for v in vectors), "documented")
