"""The listener is its own tunnel: no port is open, and being away is told honestly."""
import json

from support.hooks import github, github_route, script
from support.processes import new_name
from support.waiting import until


def test_a_signed_push_reaches_a_public_url_runs_and_is_in_the_history(make_hook, service, tmp_path):
    name = new_name()
    host = f"{name}.localhost"
    action = {"exec": [script(tmp_path, '#!/bin/sh\ncat >> "$DIR/done"; echo >> "$DIR/done"\n')], "env": {"DIR": str(tmp_path)}}
    key = tmp_path / "key"
    key.write_text(service.key + "\n")
    tunnel = {"name": "another", "server": f"https://localhost:{service.https_port}", "caFile": service.ca, "apiKey": {"file": str(key)}}
    hook = make_hook([github_route(action)], listen=False, tunnel=tunnel, words=["--tunnel", name],
                     limits={"bodyBytes": 1000, "receivingBytes": 2000})
    connected = lambda: len(hook.notes("tunnel.connected"))
    until(f"the tunnel is up: {hook.tail()}", connected)

    def push(members, delivery, fields=None):
        body = json.dumps(members).encode()
        fields = {**github(body, delivery=delivery), **(fields or {})}
        return service.get(host, "/github", method="POST", headers=list(fields.items()), body=body)

    assert push({"n": 1}, "d1").status == 202
    assert push({"n": 2}, "d2", {"x-hub-signature-256": "sha256=" + "0" * 64}).status == 401
    for path, size, status in [("/github", 1001, 413), ("/nothing", 2, 404), ("/metrics", 2, 404)]:
        body = b"x" * size
        assert service.get(host, path, method="POST", headers=list(github(body).items()), body=body).status == status
    run, = hook.settled()
    assert (run["state"], run["route"], run["detail"]) == ("succeeded", "github", "exit 0")
    event, = hook.ask("events", "list")
    assert (event["delivery"], event["address"], event["verdict"]["scheme"]) == ("d1", "127.0.0.1", "github")

    # Taken, and killed before it ran to its end.
    assert push({"n": 3}, "d3").status == 202
    hook.kill()
    until("the service notices", lambda: push({"n": 4}, "d4").status == 502)
    answer = push({"n": 4}, "d4")
    assert (answer.status, answer.reason) == (502, "agent-offline"), answer
    count = connected()
    hook.start()
    until(f"the tunnel is up again: {hook.tail()}", lambda: connected() > count)
    # The sender delivers again what it was told has failed.
    assert push({"n": 4}, "d4").status == 202
    runs = hook.settled()
    assert len(runs) == 3 and {r["state"] for r in runs} == {"succeeded"}
    assert {e["delivery"] for e in hook.ask("events", "list")} == {"d1", "d3", "d4"}
    done = {json.loads(l)["n"] for l in (tmp_path / "done").read_text().splitlines() if l}
    assert done == {1, 3, 4}
