"""A real browser as third party: headless Chromium."""
import json
import shutil
import subprocess
import threading
from urllib.parse import unquote

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from support.processes import Agent, new_name

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>page</title><body><img src="/hold" alt=""><script>
const socket = new WebSocket(`wss://${location.host}/echo`, ["chat"]);
socket.binaryType = "arraybuffer";
const seen = [];
socket.onopen = () => { socket.send("h\\u00e9llo \\u{1F30A}"); socket.send(new Uint8Array([0, 1, 255])); };
socket.onmessage = (m) => {
  seen.push(typeof m.data === "string" ? m.data : [...new Uint8Array(m.data)]);
  if (seen.length === 2) socket.close(4001, "bye");
};
const tell = (event) => fetch("/result?" + encodeURIComponent(JSON.stringify({seen, protocol: socket.protocol, code: event.code})));
socket.onclose = tell; socket.onerror = () => tell({code: "error"});
</script></body></html>"""


def browse(service, url, folder, *words):
    """What the page is once it is loaded."""
    out = subprocess.run(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         f"--user-data-dir={folder}", "--ignore-certificate-errors",
         "--host-resolver-rules=MAP *.localhost 127.0.0.1", "--dump-dom", *words, url],
        capture_output=True, text=True, timeout=80, stdin=subprocess.DEVNULL)
    assert out.returncode == 0 and out.stdout, out
    return out


class Program:
    """Serves the page, echoes on a WebSocket, and hears what the page found. The page is loaded once that is told."""

    def __init__(self):
        self.closed, self.result, self.is_told = [], None, threading.Event()
        self.server = serve(self._echo, "127.0.0.1", 0, process_request=self._page, subprotocols=["chat"])
        self.port = self.server.socket.getsockname()[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _page(self, connection, request):
        path, _, query = request.path.partition("?")
        if path == "/echo":
            return None
        if path == "/result":
            self.result = json.loads(unquote(query))
            self.is_told.set()
        if path == "/hold":
            self.is_told.wait(40)
        response = connection.respond(200, PAGE if path == "/" else "")
        if path == "/":
            del response.headers["Content-Type"]
            response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response

    def _echo(self, connection):
        try:
            for message in connection:
                connection.send(message)
        except ConnectionClosed as end:
            self.closed.append(end.rcvd.code)


@pytest.mark.parametrize("command", ["http", "tls"])
def test_a_page_and_its_websocket_go_through_a_tunnel(service, account, tmp_path, command):
    """By `tls` the browser's TLS ends in the agent."""
    program, name = Program(), new_name()
    agent = Agent(account, command, str(program.port), "--name", name)
    try:
        agent.url()
        browse(service, f"https://{name}.localhost:{service.https_port}/", tmp_path / "profile")
        assert program.result == {"seen": ["h\u00e9llo \U0001F30A", [0, 1, 255]], "protocol": "chat", "code": 4001}
        assert program.closed == [4001]
    finally:
        agent.stop()
        program.server.shutdown()


@pytest.mark.parametrize("host,title", [("nobody", "No such tunnel"), (None, "Tunnel offline")])
def test_the_offline_page_is_styled_and_loads_nothing(service, tmp_path, host, title):
    tunnel = service.tunnel()
    url = f"https://{host or tunnel.name}.localhost:{service.https_port}/"
    out = browse(service, url, tmp_path / "profile", "--enable-logging=stderr")
    assert f"<title>{title}</title>" in out.stdout and "<main>" in out.stdout
    # A style that its own policy refused would be told on the console.
    assert "Content Security Policy" not in out.stderr, out.stderr
