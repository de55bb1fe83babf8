"""A link whose other end is frozen looks alive to TCP; both sides must notice by themselves within 30 seconds."""
import signal
from pathlib import Path

from support.waiting import Stopwatch, until

NOTICED_SECONDS_MAX = 32  # 20 s to the PING, 10 s for its answer, and a slow machine
BACK_SECONDS_MAX = 5


def is_frozen(process):
    """A signal is sent at once and obeyed when each thread next gets the processor."""
    threads = Path(f"/proc/{process.pid}/task").glob("*/stat")
    return all(t.read_text().rpartition(")")[2].split()[0] == "T" for t in threads)


def test_a_frozen_agent_and_a_frozen_service_are_noticed(make_service, make_route):
    """Both at once, so that the test takes as long as one."""
    with_frozen_agent, with_frozen_service = make_route(make_service()), make_route(make_service())
    agent, service = with_frozen_agent.agent.process, with_frozen_service.service.process
    log_before = len(with_frozen_service.agent.tail())
    agent.send_signal(signal.SIGSTOP)
    service.send_signal(signal.SIGSTOP)
    clock = Stopwatch()
    until("both are frozen", lambda: is_frozen(agent) and is_frozen(service), 10)
    try:
        with with_frozen_agent.service.plain(timeout=60) as wire:
            answer = wire.request("GET", "/frozen", with_frozen_agent.host).response()
            assert (answer.status, answer.reason) in ((502, "agent-disconnected"), (503, "agent-busy"))
        until("the service gives the frozen agent up", lambda: with_frozen_agent.get().reason == "agent-offline", 60)
        assert clock.seconds <= NOTICED_SECONDS_MAX
        until("the agent gives the frozen service up", lambda: len(with_frozen_service.agent.tail()) > log_before, 60)
        assert clock.seconds <= NOTICED_SECONDS_MAX
    finally:
        agent.send_signal(signal.SIGCONT)
        service.send_signal(signal.SIGCONT)
    for route in (with_frozen_agent, with_frozen_service):
        clock = Stopwatch()
        until("traffic flows again", lambda: route.get("/thawed").status == 200, 40)
        assert clock.seconds <= BACK_SECONDS_MAX or route is with_frozen_service  # the agent may be in the middle of its backoff
