"""Who may do what to whose things: one table, tried for every call that the API describes.

The calls come from Docs/openapi.json; a call without a row here fails. What a row says comes from the control plane's text,
not from the code.
"""
import json
from pathlib import Path

import pytest

from support.organizations import SCOPES, Organization, api_key, basic, bearer, some_uuid
from support.processes import Service, new_name
from support.waiting import until

WEBHOOKS_KEPT = 30
DOCUMENT = json.loads((Path(__file__).parent.parent.parent / "Docs/openapi.json").read_text())
OPERATIONS = {operation["operationId"]: (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method, operation in item.items()}


class Row:
    """What those get who may: admin keys everything of the organization, an identity's key its own, apps by their scope."""

    def __init__(self, admin=200, identity=None, scope=None, target=None, own=None, body=None, everyone=False, stream=False, apps=None):
        self.admin = one_of(admin)  # the status; None: admin keys may not
        self.identity = one_of(identity)  # the status for what is the identity's own; None: never
        self.scope = scope  # the scope that an app needs; "none" when any app may, None when no app may
        self.target = target  # what the path names: makes a new one of an organization
        self.own = own or target  # makes what is the identity's own, from the organization and the identity
        self.body = body  # makes a body
        self.everyone = everyone  # no credential is looked at
        self.stream = stream  # the answer does not end by itself
        self.apps = apps  # what every app gets, whatever its scopes

    def by_app(self, scope):
        if self.apps:
            return (self.apps,)
        return self.admin if self.everyone or self.scope in (scope, "none") else (403,)


def one_of(statuses):
    """The statuses that a call may have; none when it is forbidden."""
    return (403,) if statuses is None else statuses if isinstance(statuses, tuple) else (statuses,)


def tunnel(organization):
    return organization.tunnel()["id"]


def pending(organization):
    return organization.pending_tunnel()["id"]


def own_tunnel(organization, identity):
    return identity["tunnel"]["id"]


def handle(organization):
    return organization.identity()["agent_handle"]


def own_handle(organization, identity):
    return identity["agent_handle"]


def key_id(organization):
    return organization.identity_key(organization.identity())["record"]["id"]


def client_id(organization):
    return organization.app([])["client_id"]


def webhook(organization):
    """Older ones make room: an organization may have 50."""
    path = "/api/v1/webhooks/subscriptions"
    for old in organization.call("GET", path).json()["subscriptions"][WEBHOOKS_KEPT:]:
        assert organization.call("DELETE", f"{path}/{old['id']}").status == 204
    return organization.make("/api/v1/webhooks/subscriptions", new_webhook(organization))["id"]


def delivery(organization):
    """One that an event has made; whether it arrives does not matter."""
    subscription = webhook(organization)
    organization.tunnel()
    path = f"/api/v1/webhooks/subscriptions/{subscription}/deliveries"
    return until("the event has its delivery", lambda: organization.call("GET", path).json()["deliveries"])[0]["id"]


def new_webhook(organization):
    return {"url": "https://receiver.example/hook", "event_types": ["tunnel.created"]}


def change(organization):
    return {"description": "changed"}


def new_tunnel(organization):
    return {"tunnel_name": new_name()}


TABLE = {
    "getHealth": Row(everyone=True),
    "getReadiness": Row(everyone=True),
    "getMetrics": Row(everyone=True),
    "getDescription": Row(everyone=True),

    "listTunnels": Row(200, 200, "tunnels:read"),
    "createTunnel": Row(201, None, "tunnels:write", body=new_tunnel),
    "getTunnel": Row(200, 200, "tunnels:read", tunnel, own_tunnel),
    "updateTunnel": Row(200, 200, "tunnels:write", tunnel, own_tunnel, change),
    "deleteTunnel": Row(200, 409, "tunnels:write", tunnel, own_tunnel),  # an identity's tunnel goes with it
    "restoreTunnel": Row(200, 409, "tunnels:write", pending, own_tunnel),  # and so is never pending
    "forceDeleteTunnel": Row(200, None, None, pending),
    "rotateConnectSecret": Row(200, 409, "secrets:rotate", tunnel, own_tunnel),  # an identity's tunnel has none
    "signCSR": Row(409, 409, "tunnels:write", tunnel, own_tunnel, lambda o: {"csr_pem": "x"}),  # edge tunnels need none

    "listIdentities": Row(200, 200, "tunnels:read"),
    "createIdentity": Row(201, body=lambda o: {"agent_handle": new_name()}),
    "getIdentity": Row(200, 200, "tunnels:read", handle, own_handle),
    "updateIdentity": Row(200, 200, None, handle, own_handle, change),
    "deleteIdentity": Row(204, target=handle),
    "getSigningKeyStatus": Row(200, 200, None, handle, own_handle),
    "rotateSigningKey": Row(201, (201, 200), None, handle, own_handle),
    "getOwnSigningKeyStatus": Row(200, 200),
    "rotateOwnSigningKey": Row(409, (201, 200)),  # an admin key has to name the identity

    # Key and rotation secret count together; here the secret is wrong, and an admin key has none.
    **{name: Row(403, 401, body=lambda o: {"rotationSecret": "wrong"}, apps=401) for name in (
        "rotateOwnKey", "rotateOwnKeyVersioned", "rotateOwnKeyUnversioned")},

    "listAPIKeys": Row(),
    "createAPIKey": Row(201, body=lambda o: {"label": "new", "scoped_identity_id": o.identity()["id"]}),
    "getAPIKey": Row(target=key_id),
    "revokeAPIKey": Row(204, target=key_id),
    "rotateAPIKey": Row(201, target=key_id),
    "whoAmI": Row(200, 200, "none"),
    "whoAmIVersioned": Row(200, 200, "none"),

    "listAuditEvents": Row(200, None, "audit:read"),
    "followEvents": Row(200, None, "events:read", stream=True),

    "createWebhook": Row(201, body=new_webhook),
    "listWebhooks": Row(),
    "getWebhook": Row(target=webhook),
    "updateWebhook": Row(target=webhook, body=change),
    "deleteWebhook": Row(204, target=webhook),
    "rotateWebhookSecret": Row(target=webhook),
    "listDeliveries": Row(target=webhook),
    "getDelivery": Row(target=delivery),
    "replayDelivery": Row(202, target=delivery),

    "listApps": Row(),
    "createApp": Row(201, body=lambda o: {"name": "new", "scopes": []}),
    "getApp": Row(target=client_id),
    "deleteApp": Row(204, target=client_id),
    "rotateClientSecret": Row(target=client_id),
    "rotateClientSecretOfConnectApp": Row(target=client_id),
}

ROWS = {name: row for name, row in TABLE.items() if name in OPERATIONS}

# What a path names when nothing has that name.
NOBODYS = {"id": some_uuid, "handle": new_name, "key_id": lambda: "ApiKey_" + some_uuid(), "client_id": lambda: "app_" + some_uuid().replace("-", "")}


class World:
    """Two organizations, and the credentials of the first."""

    def __init__(self, service):
        self.service = service
        self.home = Organization(service, service.org, service.key)
        self.foreign = Organization.added(service)
        service.start()
        self.identity = self.home.identity()
        identity_key = self.home.identity_key(self.identity)["api_key"]
        self.apps = {scope: self.home.app([scope]) for scope in SCOPES}
        self.refused = {
            "no credential": {},
            "a revoked key": api_key(self.home.revoked_key(self.identity)["api_key"]),
            "an expired key": api_key(self.home.expired_key(self.identity)["api_key"]),
            "a connect secret": api_key(self.home.tunnel()["connect_secret"]),
            "an app's id without its secret": basic({**self.apps["tunnels:read"], "client_secret": "0" * 64}),
            "a key of two organizations": {**api_key(self.home.key), **bearer(self.foreign.key)},
        }
        self.admins = {"an admin key": api_key(self.home.key), "an admin key as bearer": bearer(self.home.key)}
        self.identities = {"an identity's key": api_key(identity_key), "an identity's key as bearer": bearer(identity_key)}
        self.strangers = {
            "another admin key": api_key(self.foreign.key),
            "another identity's key": api_key(self.foreign.identity_key(self.foreign.identity())["api_key"]),
            "another app": basic(self.foreign.app(SCOPES)),
        }
        self.unscoped = basic(self.home.app([]))

    def ask(self, name, row, target, headers, organization=None):
        method, path = OPERATIONS[name]
        if target is not None:
            path = path[:path.index("{")] + target + path[path.index("}") + 1:]
        body = row.body(organization or self.home) if row.body else None
        if row.stream:
            with self.service.plain() as wire:
                answer = wire.request(method, path, "127.0.0.1", headers.items()).head()
                answer.body = b"" if answer.status == 200 else wire.body(answer)
                return answer
        return self.service.call(method, path, body, key=None, headers=headers)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("isolation")).init()
    yield World(service)
    service.stop()


def without_request_id(answer):
    """All that an answer says but for the request's id."""
    body = answer.body.decode().replace(answer.header("x-request-id"), "ID")
    return answer.status, body, [(k, v) for k, v in answer.headers if k.lower() not in ("x-request-id", "date")]


def test_every_call_has_its_row_and_every_row_its_call():
    assert set(OPERATIONS) - set(TABLE) == set(), "calls without a row: say in TABLE who may make them"
    assert set(TABLE) - set(OPERATIONS) == set(), "rows without a call"


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_table(world, name):
    row = TABLE[name]
    target = row.target(world.home) if row.target else None
    for who, headers in world.refused.items():
        answer = world.ask(name, row, target, headers)
        assert answer.status == (200 if row.everyone else 401), f"{name} by {who}: {answer}"
        assert row.everyone or answer.header("www-authenticate"), who
    for who, headers in world.admins.items():
        answer = world.ask(name, row, row.target(world.home) if row.target else None, headers)
        assert answer.status in row.admin, f"{name} by {who}: {answer}"
        assert world.foreign.id not in answer.body.decode(), f"{name} shows {who} another organization"
    for scope, app in world.apps.items():
        answer = world.ask(name, row, row.target(world.home) if row.target else None, basic(app))
        assert answer.status in row.by_app(scope), f"{name} by an app with {scope}: {answer}"
    answer = world.ask(name, row, target, world.unscoped)
    assert answer.status in row.by_app(""), f"{name} by an app without scope: {answer}"


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_identity_reaches_its_own_and_nothing_else(world, name):
    row = TABLE[name]
    for who, headers in world.identities.items():
        if row.target is None:
            answer = world.ask(name, row, None, headers)
            assert answer.status in ((200,) if row.everyone else row.identity), f"{name} by {who}: {answer}"
            continue
        own = world.ask(name, row, row.own(world.home, world.identity) if row.own is not row.target else row.target(world.home), headers)
        sibling = world.ask(name, row, row.target(world.home), headers)
        if row.identity == (403,):
            assert own.status == sibling.status == 403, f"{name} by {who}: {own} {sibling}"
        else:
            none = world.ask(name, row, nobodys(name), headers)
            assert own.status in row.identity, f"{name} by {who}: {own}"
            assert sibling.status == 404, f"{name} on a sibling by {who}: {sibling}"
            assert without_request_id(sibling) == without_request_id(none), f"{name}: {who} can tell a sibling from nothing"


def nobodys(name):
    path = OPERATIONS[name][1]
    return NOBODYS[path[path.index("{") + 1:path.index("}")]]()


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.target])
def test_another_organizations_thing_is_like_none(world, name):
    """Byte for byte, but for the request's id; and nothing happens to it."""
    row = TABLE[name]
    target = row.target(world.home)
    for who, headers in world.strangers.items():
        theirs = world.ask(name, row, target, headers, world.foreign)
        none = world.ask(name, row, nobodys(name), headers, world.foreign)
        assert theirs.status in (403, 404) if who != "another admin key" else theirs.status == 404, f"{name} by {who}: {theirs}"
        assert without_request_id(theirs) == without_request_id(none), f"{name}: {who} can tell another's from nothing"
    assert world.ask(name, row, target, world.admins["an admin key"]).status in row.admin, "the thing is as it was"


@pytest.mark.parametrize("name", [
    name for name, row in ROWS.items() if not row.everyone and not row.target and OPERATIONS[name][0] == "GET"])
def test_lists_show_nothing_of_others(world, name):
    """What the strangers see has nothing of the first organization in it, and the other way round."""
    seen = {}
    for who, headers in {**world.admins, **world.strangers}.items():
        answer = world.ask(name, TABLE[name], None, headers)
        if answer.status == 200:
            seen[who] = answer.body.decode()
    assert "an admin key" in seen and "another admin key" in seen
    for who, body in seen.items():
        other = world.home if who in world.strangers else world.foreign
        assert other.id not in body and other.key[-8:] not in body, f"{name} shows {who} another organization"
    assert world.identity["agent_handle"] not in seen["another admin key"]


def test_a_key_for_another_organizations_identity_is_refused_like_for_none(world):
    body = {"label": "theft", "scoped_identity_id": world.identity["id"]}
    theirs = world.foreign.call("POST", "/api/v1/api-keys", body)
    none = world.foreign.call("POST", "/api/v1/api-keys", {**body, "scoped_identity_id": some_uuid()})
    assert theirs.status == 404 and without_request_id(theirs) == without_request_id(none)


def test_idempotency_keys_are_each_organizations_own(world):
    key, body = some_uuid(), {"name": "same", "scopes": []}
    mine = world.home.call("POST", "/api/v1/apps", body, headers={"Idempotency-Key": key})
    theirs = world.foreign.call("POST", "/api/v1/apps", body, headers={"Idempotency-Key": key})
    assert mine.status == theirs.status == 201
    assert theirs.header("idempotency-replayed") is None and theirs.json()["organization_id"] == world.foreign.id
    assert theirs.json()["client_secret"] != mine.json()["client_secret"]


def test_a_kept_answer_with_a_secret_is_given_only_to_who_may_ask_for_it(world):
    """A replay is an answer like the first: an identity's key, or an app without the scope, does not get it."""
    key, body = some_uuid(), {"name": "secret", "scopes": []}
    assert world.home.call("POST", "/api/v1/apps", body, headers={"Idempotency-Key": key}).status == 201
    for headers in (*world.identities.values(), world.unscoped, *[basic(a) for a in world.apps.values()]):
        assert world.home.call("POST", "/api/v1/apps", body, key=None, headers={**headers, "Idempotency-Key": key}).status == 403


def test_an_identity_does_not_get_the_kept_answer_about_a_sibling(world):
    """Even when it knows the Idempotency-Key: the replay would show a secret that is not its own."""
    key, path = some_uuid(), f"/api/v1/tunnels/{world.home.tunnel()['id']}/rotate-secret"
    secret = world.home.call("POST", path, headers={"Idempotency-Key": key}).json()["connect_secret"]
    for headers in world.identities.values():
        answer = world.home.call("POST", path, key=None, headers={**headers, "Idempotency-Key": key})
        assert answer.status in (404, 422) and secret not in answer.body.decode(), answer
    again = world.home.call("POST", path, headers={"Idempotency-Key": key})
    assert (again.status, again.json()["connect_secret"], again.header("idempotency-replayed")) == (200, secret, "true")
