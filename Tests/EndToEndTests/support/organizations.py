"""Organizations with everything that they can own, and every kind of credential for it."""
import base64
import json
import sqlite3
import subprocess
import time
import uuid

from .processes import CULVERTD, new_name

SCOPES = ("tunnels:read", "tunnels:write", "secrets:rotate", "audit:read", "events:read")


class Organization:
    """One owner; makes things by its admin key."""

    def __init__(self, service, org, key):
        self.service, self.id, self.key = service, org, key

    @classmethod
    def added(cls, service):
        """Another organization; the service must not run."""
        out = subprocess.run([CULVERTD, "init", "--data-dir", service.data, "--json", "--add-organization"],
                             capture_output=True, text=True, timeout=60, env=service.env)
        assert out.returncode == 0, out.stderr
        printed = json.loads(out.stdout)
        return cls(service, printed["organization_id"], printed["api_key"])

    def call(self, method, path, body=None, **options):
        return self.service.call(method, path, body, key=options.pop("key", self.key), **options)

    def make(self, path, body):
        answer = self.call("POST", path, body)
        assert answer.status == 201, answer
        return answer.json()

    def tunnel(self, **members):
        """A tunnel that stands alone."""
        made = self.make("/api/v1/tunnels", {"tunnel_name": new_name(), **members})
        return {**made["tunnel"], "connect_secret": made["connect_secret"]}

    def pending_tunnel(self):
        tunnel = self.tunnel()
        assert self.call("DELETE", f"/api/v1/tunnels/{tunnel['id']}").status == 200
        return tunnel

    def identity(self):
        return self.make("/api/v1/identities", {"agent_handle": new_name()})

    def identity_key(self, identity, **members):
        return self.make("/api/v1/api-keys", {"label": "agent", "scoped_identity_id": identity["id"], **members})

    def revoked_key(self, identity):
        key = self.identity_key(identity)
        assert self.call("DELETE", f"/api/v1/api-keys/{key['record']['id']}").status == 204
        return key

    def expired_key(self, identity):
        """A key whose time is over; its end is set in the store's file, because nobody wants to wait for it."""
        key = self.identity_key(identity, expires_at="2099-01-01T00:00:00Z")
        with sqlite3.connect(self.service.data / "culvert.db", timeout=20) as store:
            changed = store.execute("UPDATE api_keys SET expires_at = ? WHERE expires_at > ?", (int(time.time() * 1e6) - 1, int(4e15)))
            assert changed.rowcount == 1
        store.close()
        return key

    def app(self, scopes):
        return self.make("/api/v1/apps", {"name": "app", "scopes": list(scopes)})


def api_key(key):
    return {"X-API-Key": key}


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def basic(app):
    pair = f"{app['client_id']}:{app['client_secret']}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def some_uuid():
    return str(uuid.uuid4())
