"""The service's own events drive actions, by the example that the manual gives."""
import json
import re
from pathlib import Path

from support.hooks import Hook, script
from support.waiting import until
from test_webhooks import OPEN, subscribe

MANUAL = Path(__file__).resolve().parents[2] / "Docs" / "Hooks.md"


def example():
    """The five lines of the manual, as they stand there."""
    section = MANUAL.read_text().split("## Secret rotated: update the vault")[1]
    return json.loads(re.search(r"```json\n(.*?)```", section, re.DOTALL)[1])


def test_a_rotated_secret_updates_the_vault_as_the_manual_says(make_hook, make_service, tmp_path):
    service = make_service(env=OPEN)
    tunnel = service.tunnel()
    route = example()
    assert route["action"]["exec"] == ["/usr/local/bin/update-vault"]
    route["action"]["exec"] = [script(tmp_path, f'#!/bin/sh\necho "$TUNNEL" >> {tmp_path}/vault\n')]
    hook = make_hook([route], start=False)
    url = f"http://127.0.0.1:{hook.port}{route['path']}"
    subscription = subscribe(service, url, ["*"])
    (hook.folder / route["verify"]["secrets"][0]["file"]).write_text(subscription["secret"] + "\n")
    hook.start()
    assert service.call("PATCH", f"/api/v1/tunnels/{tunnel.id}", {"description": "something else happens"}).status == 200
    assert service.call("POST", f"/api/v1/tunnels/{tunnel.id}/rotate-secret").status == 200
    until("the vault is updated", lambda: (tmp_path / "vault").exists())
    run, = hook.settled()
    assert (run["state"], (tmp_path / "vault").read_text().split()) == ("succeeded", [tunnel.id])
    until("the other events are here too", lambda: [e["wanted"] for e in hook.ask("events", "list")].count(False) >= 1)
    verdicts = {e["verdict"]["scheme"] for e in hook.ask("events", "list")}
    assert verdicts == {"standard-webhooks"}
