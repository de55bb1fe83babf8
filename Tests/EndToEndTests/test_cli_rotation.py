"""`culvert keys rotate`: an agent replaces its own credentials, and nothing is lost wherever it breaks off."""
import json

import pytest

from support.cli import AUTHENTICATION, FAILURE, UNREACHABLE, USAGE, good, key_of, log_in, mode, read, stored
from support.lossy import LossyWay
from support.origin import Origin
from support.processes import Account, Agent, new_name
from support.waiting import until

PATH = "/api/v1/agents/self/rotate-key"


@pytest.fixture
def handle(account):
    name = new_name()
    good(account.run("identities", "create", name))
    return name


@pytest.fixture
def agent(account, service, handle, tmp_path):
    return log_in(tmp_path / "agent", service, key_of(account, handle))


@pytest.fixture
def way(service):
    made = LossyWay(service)
    yield made
    made.close()


@pytest.fixture
def far_agent(account, service, handle, way, tmp_path):
    """An agent that reaches the service over a way on which answers get lost."""
    made = Account(tmp_path / "far", service, log_in=False)
    good(made.run("login", "--server", way.url, "--api-key-file", str(key_of(account, handle))))
    return made


def works(service, key):
    return service.call("GET", "/api/v1/whoami", key=key).status == 200


def test_key_and_secret_are_replaced_and_kept(agent, service, handle):
    before = stored(agent)
    out = agent.run("keys", "rotate")
    after = stored(agent)
    assert handle in good(out) and after["api_key"] != before["api_key"] and after["rotation_secret"] != before["rotation_secret"]
    assert after["api_key"] not in out.stdout + out.stderr and after["rotation_secret"] not in out.stdout + out.stderr
    assert "pending_rotation" not in after and mode(agent.folder / "config" / "culvert" / "config.json") == 0o600
    assert not works(service, before["api_key"]) and works(service, after["api_key"])
    assert read(agent.run("keys", "rotate", "--json"))["agent_name"] == handle
    good(agent.run("tunnels", "list"))


def test_the_new_ones_go_into_a_file_too(agent, tmp_path):
    file = tmp_path / "copy"
    good(agent.run("keys", "rotate", "--secret-file", str(file)))
    assert file.read_text().split() == [stored(agent)["api_key"], stored(agent)["rotation_secret"]] and mode(file) == 0o600


def test_an_answer_that_is_lost_comes_again(far_agent, way, service):
    before = stored(far_agent)
    way.lose = lambda method, path: path == PATH
    out = far_agent.run("keys", "rotate")
    assert out.returncode == UNREACHABLE and "again within 24 hours" in out.stderr, out
    assert not works(service, before["api_key"]), "the service has done it"
    during = stored(far_agent)
    assert during["api_key"] == before["api_key"] and during["pending_rotation"]["idempotency_key"]
    way.lose = lambda method, path: False
    good(far_agent.run("keys", "rotate"))
    after = stored(far_agent)
    assert works(service, after["api_key"]) and "pending_rotation" not in after
    asked = {key for path, key, _ in way.lost + way.passed if path == PATH}
    assert asked == {during["pending_rotation"]["idempotency_key"]}, "the same question every time"


def test_one_lost_answer_is_not_even_noticed(far_agent, way, service):
    way.lose = lambda method, path: path == PATH and not way.lost
    good(far_agent.run("keys", "rotate"))
    assert len(way.lost) == 1 and works(service, stored(far_agent)["api_key"])


def test_credentials_that_are_no_longer_right_are_told(agent, service, account, handle):
    path = agent.folder / "config" / "culvert" / "config.json"
    before = path.read_text()
    good(agent.run("keys", "rotate"))
    path.write_text(before)
    out = agent.run("keys", "rotate")
    assert out.returncode == AUTHENTICATION and "culvert keys create" in out.stderr
    assert "pending_rotation" not in stored(agent), "what was refused is not tried again for ever"


def test_a_key_without_a_rotation_secret_is_told(account, agent, tmp_path):
    out = account.run("keys", "rotate")
    assert out.returncode == AUTHENTICATION and "--rotation-secret-file" in out.stderr
    out = agent.run("keys", "rotate", "--api-key-file", str(account.key_file))
    assert out.returncode == USAGE and "culvert login" in out.stderr
    (tmp_path / "no-secret").write_text("ApiKey_x")
    out = account.run("keys", "rotate", "--rotation-secret-file", str(tmp_path / "no-secret"))
    assert out.returncode == USAGE and "RotSecret_" in out.stderr


def test_a_secret_that_login_did_not_get_can_be_given(account, service, handle, tmp_path):
    key, secret = key_of(account, handle).read_text().split()
    (tmp_path / "key").write_text(key)
    (tmp_path / "secret").write_text(secret)
    agent = log_in(tmp_path / "agent", service, tmp_path / "key")
    assert "rotation_secret" not in stored(agent)
    good(agent.run("keys", "rotate", "--rotation-secret-file", str(tmp_path / "secret")))
    assert stored(agent)["rotation_secret"].startswith("RotSecret_")


def test_nothing_is_asked_that_could_not_be_kept(agent, service):
    folder = agent.folder / "config" / "culvert"
    before = stored(agent)
    out = agent.run("keys", "rotate", "--secret-file", str(folder / "none" / "file"))
    assert out.returncode == FAILURE and "none" in out.stderr
    assert stored(agent) == before and works(service, before["api_key"])


@pytest.mark.parametrize("command, mode", [("http", "edge"), ("tls", "passthrough")])
def test_a_running_agent_takes_the_new_key(account, service, tmp_path, command, mode):
    handle = new_name()
    good(account.run("identities", "create", handle, "--tls-mode", mode))
    agent = log_in(tmp_path / command, service, key_of(account, handle))
    origin = Origin()
    running = Agent(agent, command, str(origin.port))

    def answers():
        try:
            with service.secure(f"{handle}.localhost") as wire:
                return wire.request("GET", "/", f"{handle}.localhost").response("GET").status == 200
        except OSError:
            return False

    try:
        running.url()
        until("the agent is connected", answers)
        for _ in range(2):
            old = stored(agent)["api_key"]
            good(agent.run("keys", "rotate"))
            assert stored(agent)["api_key"] != old
            until("the agent serves again", answers)
        assert running.process.poll() is None
    finally:
        running.stop()
        origin.close()


def test_json_says_where_it_is_and_not_what(agent):
    out = agent.run("keys", "rotate", "--json")
    said = json.loads(good(out))
    assert set(said) == {"agent_id", "agent_name", "file"} and "ApiKey_" not in out.stdout
