"""A way to the service on which answers get lost."""
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LossyWay:
    """Forwards every request; `lose` says of which the answer is not passed on."""

    def __init__(self, service, lose=lambda method, path: False):
        self.lose, self.passed, self.lost = lose, [], []
        way = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                sent = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "content-length")}
                connection = http.client.HTTPConnection("127.0.0.1", service.http_port, timeout=20)
                connection.request(self.command, self.path, body=body or None, headers=sent)
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                if way.lose(self.command, self.path):
                    way.lost.append((self.path, self.headers.get("idempotency-key"), answer.status))
                    self.close_connection = True
                    return
                way.passed.append((self.path, self.headers.get("idempotency-key"), answer.status))
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = do

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
