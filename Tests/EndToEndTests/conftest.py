"""Fixtures: a service, a logged-in home, scripted origins and agents; every test has a time limit."""
import signal

import pytest

from support.agent import ScriptedAgent
from support.hooks import Hook
from support.origin import Origin
from support.processes import Account, Route, Service

TEST_SECONDS_MAX = 90


@pytest.fixture(autouse=True)
def time_limit(request):
    """No test hangs the run."""
    marker = request.node.get_closest_marker("seconds")
    limit = marker.args[0] if marker else TEST_SECONDS_MAX

    def late(*_):
        pytest.fail(f"the test took longer than {limit} s")
    old = signal.signal(signal.SIGALRM, late)
    signal.alarm(limit)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, old)


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """The service that most tests share; what they make in it has names of its own."""
    shared = Service(tmp_path_factory.mktemp("service")).init().start()
    yield shared
    shared.stop()


@pytest.fixture
def make_service(tmp_path_factory):
    """make_service(env={…}) -> a service of the test's own, started."""
    made = []

    def make(env=None, start=True, **options):
        own = Service(tmp_path_factory.mktemp("own"), env=env, **options).init()
        made.append(own)
        return own.start() if start else own

    yield make
    for own in made:
        own.kill()


@pytest.fixture(scope="session")
def account(service, tmp_path_factory):
    return Account(tmp_path_factory.mktemp("home"), service)


@pytest.fixture(scope="session")
def origin():
    shared = Origin()
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def route(service, account, origin):
    """A tunnel that is up for the whole session: Culvert's own agent before the shared origin."""
    shared = Route(service, account, origin)
    yield shared
    shared.agent.stop()


@pytest.fixture
def make_route(tmp_path_factory):
    """make_route(service) -> a tunnel of the test's own, with its own home, agent and origin."""
    made = []

    def make(service, words=(), **options):
        own = Route(service, Account(tmp_path_factory.mktemp("home"), service), Origin(), words=words, **options)
        made.append(own)
        return own

    yield make
    for own in made:
        if own.agent.process.poll() is None:
            own.agent.kill()
        own.origin.close()


@pytest.fixture
def connect():
    """connect(service, tunnel) -> an agent whose every frame the test decides, connected but silent."""
    made = []

    def make(service, tunnel, **options):
        agent = ScriptedAgent(service, tunnel, **options)
        made.append(agent)
        return agent

    yield make
    for agent in made:
        agent.close()


@pytest.fixture
def make_hook(tmp_path):
    """make_hook(routes, …) -> a listener for webhooks, started; ended when the test is over."""
    made = []

    def make(routes, start=True, **options):
        folder = tmp_path / f"hook-{len(made)}"
        folder.mkdir()
        own = Hook(folder, routes, **options)
        made.append(own)
        return own.start() if start else own

    yield make
    for own in made:
        own.kill()
