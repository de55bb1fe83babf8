"""A local program whose every byte the test decides."""
import json
import socket
import threading


class Exchange:
    """One request at the origin, head read, body not yet."""

    def __init__(self, origin, sock, reader, line, headers):
        self.origin, self.sock, self.reader = origin, sock, reader
        self.line, self.headers = line, headers
        self.method, self.target, self.version = line.split(" ", 2)
        self.trailers = []
        self.has_read_body = False
        self.keep = True

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    def pieces(self):
        """The body, as it arrives."""
        self.has_read_body = True
        if "chunked" in (self.header("transfer-encoding") or "").lower():
            while size := int(self.reader.readline().split(b";")[0], 16):
                left = size
                while left:
                    data = self.reader.read1(min(left, 1 << 16))
                    if not data:
                        raise ConnectionError("the body was cut off")
                    left -= len(data)
                    yield data
                self.reader.readline()
            while (line := self.reader.readline()) not in (b"\r\n", b""):
                self.trailers.append(line.decode("latin-1").strip())
            return
        left = int(self.header("content-length") or 0)
        while left:
            data = self.reader.read1(min(left, 1 << 16))
            if not data:
                raise ConnectionError("the body was cut off")
            left -= len(data)
            yield data

    def body(self):
        return b"".join(self.pieces())

    def send(self, *parts):
        self.sock.sendall(b"".join(p.encode("latin-1") if isinstance(p, str) else p for p in parts))

    def answer(self, status=200, headers=(), body=b""):
        body = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status} X", *(f"{k}: {v}" for k, v in headers), f"Content-Length: {len(body)}"]
        self.send("\r\n".join(lines), "\r\n\r\n", b"" if self.method == "HEAD" else body)

    def wait_until_dropped(self, seconds):
        """Whether the peer goes away: nothing else is expected on this connection."""
        self.keep = False
        self.sock.settimeout(seconds)
        try:
            return self.reader.read1(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True


def echo(exchange):
    body = exchange.body()
    exchange.answer(200, [("Content-Type", "application/json"), ("X-Origin", "yes")], json.dumps({
        "method": exchange.method, "target": exchange.target, "headers": exchange.headers,
        "body": body.decode("latin-1")}))


class Origin:
    """Serves scripts by path on a free port of the loopback interface, and remembers every head that it read."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.scripts, self.seen, self.lock = {}, [], threading.Lock()
        self.socks, self.is_closed = set(), False
        threading.Thread(target=self._accept, daemon=True).start()

    def on(self, path, script):
        """From now on the script answers this path (compared without its query)."""
        self.scripts[path] = script

    def targets(self):
        with self.lock:
            return [e.target for e in self.seen]

    def close(self):
        """Stops listening and cuts every connection, as a program that ends does."""
        with self.lock:
            self.is_closed, socks = True, list(self.socks)
        for sock in [self.listener, *socks]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                if self.is_closed:
                    sock.close()
                    return
                self.socks.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        reader = sock.makefile("rb", buffering=1 << 16)
        try:
            while self._serve_one(sock, reader):
                pass
        except (OSError, ValueError):
            pass  # the peer went away in the middle: the test looks at its own side
        finally:
            with self.lock:
                self.socks.discard(sock)
            reader.close()
            sock.close()

    def _serve_one(self, sock, reader):
        line = reader.readline().decode("latin-1").rstrip("\r\n")
        if not line:
            return False
        headers = []
        while (field := reader.readline().decode("latin-1").rstrip("\r\n")):
            name, _, value = field.partition(":")
            headers.append((name, value.strip()))
        exchange = Exchange(self, sock, reader, line, headers)
        with self.lock:
            self.seen.append(exchange)
        self.scripts.get(exchange.target.split("?")[0], echo)(exchange)
        if not exchange.has_read_body:
            for _ in exchange.pieces():
                pass
        return exchange.keep and (exchange.header("connection") or "").lower() != "close"
