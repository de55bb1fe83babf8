"""Apps: HTTP Basic with a client id and a secret, and rotations that can be repeated safely."""
import base64
import re

import pytest

from support.processes import new_name

ROTATIONS = ["/connect/v1/apps/{}/rotate-client-secret", "/api/v1/apps/{}/rotate-client-secret"]


def basic(client_id, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


class App:
    def __init__(self, service, *scopes, name="e2e"):
        self.service = service
        answer = service.call("POST", "/api/v1/apps", {"name": name, "scopes": list(scopes)})
        assert answer.status == 201, answer
        self.json = answer.json()
        self.id, self.secret = self.json["client_id"], self.json["client_secret"]

    def call(self, method, path, body=None, headers=None, secret=None):
        return self.service.call(method, path, body, key=None, headers={**basic(self.id, secret or self.secret), **(headers or {})})


def test_an_app_does_what_its_scopes_say(service):
    app = App(service, "tunnels:read", "tunnels:write")
    assert re.fullmatch(r"app_[0-9a-f]{32}", app.id) and re.fullmatch(r"[0-9a-f]{64}", app.secret)
    made = app.call("POST", "/api/v1/tunnels", {"tunnel_name": new_name()})
    assert made.status == 201
    id = made.json()["tunnel"]["id"]
    assert app.call("GET", f"/api/v1/tunnels/{id}").status == 200
    assert app.call("POST", f"/api/v1/tunnels/{id}/rotate-secret").status == 403
    assert app.call("GET", "/api/v1/apps").status == 403
    reader = App(service, "tunnels:read")
    assert reader.call("DELETE", f"/api/v1/tunnels/{id}").status == 403
    assert app.call("DELETE", f"/api/v1/tunnels/{id}").status == 200


@pytest.mark.parametrize("path", ROTATIONS)
def test_a_rotation_can_be_repeated_and_ends_the_old_secret(service, path):
    app = App(service, "tunnels:read")
    path = path.format(app.id)
    bearer = {"Authorization": f"Bearer {service.key}", "Idempotency-Key": new_name()}
    first = service.call("POST", path, key=None, headers=bearer)
    assert first.status == 200 and first.header("idempotency-replayed") is None
    assert set(first.json()) == {"clientSecret"} and re.fullmatch(r"[0-9a-f]{64}", first.json()["clientSecret"])
    again = service.call("POST", path, key=None, headers=bearer)
    assert again.status == 200 and again.header("idempotency-replayed") == "true" and again.body == first.body
    assert app.call("GET", "/api/v1/tunnels").status == 401
    assert app.call("GET", "/api/v1/tunnels", secret=first.json()["clientSecret"]).status == 200
    assert app.call("POST", path).status in (401, 403)


def test_a_rotation_survives_a_restart_and_so_does_its_replay(make_service):
    own = make_service()
    app = App(own, "tunnels:read")
    headers = {"Idempotency-Key": "k"}
    first = own.call("POST", ROTATIONS[0].format(app.id), headers=headers)
    own.kill()
    own.start()
    again = own.call("POST", ROTATIONS[0].format(app.id), headers=headers)
    assert again.body == first.body and again.header("idempotency-replayed") == "true"
    assert app.call("GET", "/api/v1/tunnels", secret=first.json()["clientSecret"]).status == 200
    assert app.call("GET", "/api/v1/tunnels").status == 401


def test_the_secret_is_shown_once_and_lies_in_no_file(make_service):
    own = make_service()
    app = App(own, "tunnels:read")
    rotated = own.call("POST", ROTATIONS[1].format(app.id), headers={"Idempotency-Key": "k"}).json()["clientSecret"]
    assert app.call("GET", "/api/v1/tunnels", secret=rotated).status == 200
    for secret in (app.secret, rotated):
        assert secret not in own.call("GET", "/api/v1/apps").body.decode()
        assert secret not in own.call("GET", f"/api/v1/apps/{app.id}").body.decode()
        for path in [*own.data.rglob("*"), own.log]:
            if path.is_file():
                data = path.read_bytes()
                assert secret.encode() not in data and bytes.fromhex(secret) not in data, path


def test_every_wrong_credential_is_the_same_401(service):
    app = App(service, "tunnels:read")
    none = service.call("GET", "/api/v1/tunnels", key=None)
    tries = [
        basic(app.id, "0" * 64), basic(app.id, ""), basic("app_" + "0" * 32, app.secret), basic("", ""), basic("ä", "ö"),
        basic(service.key, ""), {"Authorization": "Basic"}, {"Authorization": "Basic !"}, {"Authorization": f"Bearer {app.secret}"},
        {"Authorization": f"Basic {app.id}:{app.secret}"}, {**basic(app.id, app.secret), "X-API-Key": service.key}]
    for headers in tries:
        answer = service.call("GET", "/api/v1/tunnels", key=None, headers=headers)
        assert answer.status == 401, headers
        assert answer.header("www-authenticate") == none.header("www-authenticate")
        assert {**answer.json(), "instance": ""} == {**none.json(), "instance": ""}
    assert app.call("GET", "/api/v1/tunnels").status == 200


def test_a_deleted_app_gets_in_no_more(service):
    app = App(service, "tunnels:read")
    assert app.call("GET", "/api/v1/tunnels").status == 200
    assert service.call("GET", f"/api/v1/apps/{app.id}").json()["last_used_at"]
    gone = service.call("DELETE", f"/api/v1/apps/{app.id}")
    assert gone.status == 204 and gone.body == b""
    assert app.call("GET", "/api/v1/tunnels").status == 401
    assert service.call("GET", f"/api/v1/apps/{app.id}").status == 404
    assert app.id not in service.call("GET", "/api/v1/apps").body.decode()


def test_the_limit_of_apps_is_named_and_can_be_set(make_service):
    own = make_service(env={"CULVERT_LIMIT_APPS_PER_ORGANIZATION": "1"})
    App(own)
    answer = own.call("POST", "/api/v1/apps", {"name": "b", "scopes": []})
    assert answer.status == 409 and "which is 1;" in answer.json()["detail"]
