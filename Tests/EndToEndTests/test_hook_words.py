"""culvert-hook as somebody meets it for the first time: each mistake is told with what to do next, and the exit code fits."""
import json
import os
import subprocess

import pytest

from support.hooks import CULVERT_HOOK, GITHUB_SECRET, Hook, github_route
from support.processes import free_port
from support.waiting import until

TRUE = {"exec": ["/bin/true"]}


@pytest.fixture
def hook(tmp_path):
    return Hook(tmp_path, [github_route(TRUE)])


def said(hook, *words, code, env=None):
    out = subprocess.run([CULVERT_HOOK, *words], capture_output=True, text=True, timeout=60, env={**hook.env, **(env or {})},
                         stdin=subprocess.DEVNULL, cwd=hook.folder)
    assert out.returncode == code, (words, out)
    return out.stdout + out.stderr


def test_the_first_five_commands_of_the_manual(tmp_path):
    hook = Hook(tmp_path, [])
    hook.file.unlink()
    assert "serve hooks.json" in said(hook, "init", "github", code=0)
    assert "cannot be written" in said(hook, "init", "github", code=1)
    text = hook.file.read_text().replace(":9000", f":{hook.port}")
    hook.file.write_text(text)
    assert said(hook, "check", "hooks.json", code=0) == "1 route, no mistake\n"
    assert "name the directory" in said(hook, "runs", "list", "--config", "hooks.json", code=1)
    hook.config["data"] = str(tmp_path / "hook-data")
    hook.start()
    try:
        (tmp_path / "p.json").write_text('{"ref":"refs/heads/main"}')
        send = ["send", "--as", "github", "--config", "hooks.json", "--url"]
        assert "HTTP 202, event 1" in said(hook, *send, f"http://127.0.0.1:{hook.port}/github", "p.json", code=0)
        assert "No route" in said(hook, *send, f"http://127.0.0.1:{hook.port}/nothing", "p.json", code=1)
        (tmp_path / "wrong").write_text("wrong")
        words = said(hook, "send", "--as", "github", "--secret-file", "wrong", "--url", f"http://127.0.0.1:{hook.port}/github", "p.json", code=1)
        assert "HTTP 401" in words and "webhook.refused" in words
        hook.settled()
        for words, part in [(["runs", "list"], "succeeded"), (["runs", "show", "1"], "attempt 1: "), (["events", "list"], "127.0.0.1"),
                            (["events", "show", "1"], '{"ref":"refs/heads/main"}'), (["dead", "list"], "The dead letter is empty."),
                            (["runs", "rerun", "1"], "rerun 1: run 2"), (["events", "replay", "1"], "replay 1: run 3")]:
            assert part in said(hook, *words, "--config", "hooks.json", code=0), words
        assert "ended already" in said(hook, "runs", "cancel", "1", "--config", "hooks.json", code=5)
        assert "no such run" in said(hook, "runs", "show", "99", "--config", "hooks.json", code=4)
        # A second listener for the same inbox, and one for the same port.
        assert f"process {hook.process.pid}" in said(hook, "serve", "hooks.json", code=1)
        assert "choose another one" in said(hook, "serve", "hooks.json", "--data", "other", code=1)
    finally:
        hook.kill()


@pytest.mark.parametrize("words,code,part", [
    (["nonsense"], 2, "is no command"), (["init"], 2, "PRESET is missing"), (["init", "nobody"], 2, "there are basic, bearer"),
    (["check", "none.json"], 1, "cannot be read"), (["check", "hooks.json", "more"], 2, "one word too many"),
    (["runs", "list"], 2, "which inbox?"), (["runs", "list", "--state", "late", "--data", "data"], 2, "no state of a run"),
    (["runs", "show", "x", "--data", "data"], 2, "IDs are numbers"), (["runs", "fly", "--data", "data"], 2, "is no command"),
    (["runs", "list", "--limit", "0", "--data", "data"], 2, "from 1 to 100000"), (["serve", "hooks.json", "--listen", "x"], 2, "no address"),
    (["serve", "hooks.json", "--listen", "192.0.2.1:9"], 1, "no such address"), (["serve", "hooks.json", "--tunnel", "t"], 2, "CULVERT_SERVER"),
    (["send", "--as", "github", "--url", "http://127.0.0.1:9/", "p.json"], 2, "--secret-file"),
    (["send", "--as", "x", "--config", "hooks.json", "--url", "http://127.0.0.1:9/", "p.json"], 2, "no route"),
    (["send", "--as", "github", "--config", "hooks.json", "--url", "h/x", "p.json"], 2, "no URL"),
    (["send", "--as", "github", "--config", "hooks.json", "--url", "http://127.0.0.1:9/", "none"], 1, "cannot be read"),
    (["send", "--as", "github", "--config", "hooks.json", "--url", "http://no.invalid/", "p.json"], 1, "Is the name in --url right?"),
])
def test_a_mistake_on_the_command_line_is_told_with_a_way_on(hook, words, code, part):
    (hook.folder / "p.json").write_text("{}")
    # There is an inbox, and nobody uses it.
    hook.start()
    hook.stop()
    text = said(hook, *words, code=code)
    assert part in text and "Error" not in text and "(reason:" not in text, text


def test_nobody_listening_is_said_as_it_is(hook):
    (hook.folder / "p.json").write_text("{}")
    url = f"http://127.0.0.1:{free_port()}/github"
    text = said(hook, "send", "--as", "github", "--config", "hooks.json", "--url", url, "p.json", code=1)
    assert "nobody answers" in text and "culvert-hook serve" in text


@pytest.mark.parametrize("change,part", [
    (lambda r: r["verify"]["secrets"].__setitem__(0, {"file": "empty"}), "is empty"),
    (lambda r: r["verify"]["secrets"].__setitem__(0, {"file": "none"}), "No such file"),
    (lambda r: r["verify"]["secrets"].__setitem__(0, {"env": "NOT_SET"}), "NOT_SET is not set"),
    (lambda r: r["verify"].update(kind="githb"), "there are standard-webhooks"),
    (lambda r: r["action"].update(exec=["/bin/nothere"]), "no program"),
    (lambda r: r["action"].update(exec=["/etc/passwd"]), "no program"),
    (lambda r: r["action"].update(exec=["sh -c 'rm *'"]), "no program"),
    (lambda r: r.update(path="x"), "begins with a slash"),
    (lambda r: r.update(timeout=3), "there are name, path"),
])
def test_a_mistake_in_the_file_is_told_with_its_place_and_never_a_secret(hook, change, part):
    hook.config = json.loads(json.dumps(hook.config))  # its own, so that the other tests keep theirs
    change(hook.config["routes"][0])
    hook.write()
    (hook.folder / "empty").write_text("")
    for command in ("check", "serve"):
        text = said(hook, command, "hooks.json", code=2)
        assert part in text and text.startswith("hooks.json:") and "1 mistake" in text, text
        assert GITHUB_SECRET not in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_inbox_that_is_not_ours_or_open_to_others_is_refused(hook):
    hook.start()
    hook.stop()
    data = hook.folder / "data"
    data.chmod(0o755)
    assert "chmod go-rwx" in said(hook, "serve", "hooks.json", code=1)
    data.chmod(0o700)
    for folder in [hook.folder, *hook.folder.parents]:
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    for words in (["serve", "hooks.json"], ["runs", "list", "--data", "data"]):
        out = subprocess.run([CULVERT_HOOK, *words], capture_output=True, text=True, timeout=60, env=hook.env, cwd=hook.folder, user="nobody")
        assert out.returncode == 1 and "this user may not" in out.stderr, (words, out.stderr)


def test_a_service_that_is_away_or_refuses_costs_no_attempt(make_service, tmp_path):
    """The tunnel is asked for before an old run begins."""
    hook = Hook(tmp_path, [github_route(TRUE)], listen=False,
                tunnel={"name": "t", "server": f"https://localhost:{free_port()}", "apiKey": {"value": "key"}})
    text = said(hook, "serve", "hooks.json", code=1)
    assert "cannot be reached" in text and "culvertd" in text and "listener.opened" not in text
    service = make_service()
    hook.config["tunnel"]["server"] = f"https://localhost:{service.https_port}"
    hook.write()
    assert "caFile" in said(hook, "serve", "hooks.json", code=1)
    hook.config["tunnel"]["caFile"] = service.ca
    hook.write()
    text = said(hook, "serve", "hooks.json", code=1)
    assert "refuses (401)" in text and "key" in text


def test_without_a_port_the_end_of_the_tunnel_is_the_end_of_the_listener(make_hook, service):
    tunnel = service.tunnel()
    hook = make_hook([github_route(TRUE)], listen=False,
                     tunnel={"name": tunnel.name, "server": f"https://localhost:{service.https_port}", "caFile": service.ca,
                             "apiKey": {"value": service.key}})
    until("the tunnel is up", lambda: hook.notes("tunnel.connected"))
    assert service.call("DELETE", f"/api/v1/tunnels/{tunnel.id}").status in (200, 202, 204)
    assert hook.process.wait(60) == 1
    assert "the tunnel has ended" in hook.tail()
