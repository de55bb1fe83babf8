"""A receiver of webhooks: keeps what it gets, and answers as the test says."""
import http.server
import queue
import ssl
import threading


class Delivered:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body


class Receiver:
    def __init__(self, answer=lambda number: 204, tls=None):
        """`answer(number)`: a status, or a callable that writes the whole answer to the handler."""
        self.got, self.lock, self.number = queue.Queue(), threading.Lock(), 0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                with receiver.lock:
                    number, receiver.number = receiver.number, receiver.number + 1
                receiver.got.put(Delivered(self.path, dict(self.headers.items()), body))
                what = answer(number)
                if callable(what):
                    return what(self)
                self.send_response(what)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.scheme = "https" if tls else "http"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/hooks", host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    def next(self, seconds=20):
        try:
            return self.got.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"nothing was delivered within {seconds} s") from None

    def take(self, count):
        return [self.next() for _ in range(count)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
