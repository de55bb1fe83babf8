"""A third party with bare hands: sends bytes as they are, reads HTTP/1.1 responses strictly."""
import json
import socket
import ssl


class Answer:
    def __init__(self, status, headers, body, trailers=(), version="HTTP/1.1", interim=()):
        self.status, self.headers, self.body = status, list(headers), body
        self.trailers, self.version, self.interim = list(trailers), version, list(interim)

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def reason(self):
        return self.header("inkbox-reason")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {bytes(self.body[:300])!r}>"


class Broken(Exception):
    """The peer sent something that is not HTTP/1.1, or closed in the middle."""


def trusting(ca, check_hostname=True, alpn=None):
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = check_hostname
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


class Wire:
    """One connection to the service: plain, or TLS with the given name as SNI."""

    def __init__(self, port, tls=None, sni=None, timeout=20, receive_buffer=None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname=sni)
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, *parts):
        self.sock.sendall(b"".join(p.encode("latin-1") if isinstance(p, str) else p for p in parts))

    def request(self, method, target, host, headers=(), body=b"", version="HTTP/1.1"):
        lines = [f"{method} {target} {version}", f"Host: {host}", *(f"{k}: {v}" for k, v in headers)]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines), "\r\n\r\n", body)
        return self

    def _more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def line(self):
        while b"\r\n" not in self.buffer:
            try:
                self._more()
            except EOFError:
                raise Broken(f"closed inside a line: {bytes(self.buffer[:200])!r}") from None
        end = self.buffer.index(b"\r\n")
        line = bytes(self.buffer[:end])
        del self.buffer[:end + 2]
        return line

    def exactly(self, count):
        while len(self.buffer) < count:
            try:
                self._more()
            except EOFError:
                raise Broken(f"closed after {len(self.buffer)} of {count} bytes") from None
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def fields(self):
        found = []
        while line := self.line():
            name, colon, value = line.partition(b":")
            if not colon or name != name.strip() or not name:
                raise Broken(f"not a header line: {line!r}")
            found.append((name.decode("latin-1"), value.strip().decode("latin-1")))
        return found

    def head(self):
        """The next status line and header fields, interim ones too."""
        version, _, rest = self.line().partition(b" ")
        if version not in (b"HTTP/1.1", b"HTTP/1.0") or not rest[:3].isdigit():
            raise Broken(f"not a status line: {version!r} {rest!r}")
        return Answer(int(rest[:3]), self.fields(), b"", version=version.decode())

    def chunk(self):
        """The next chunk of a chunked body; empty at its end (trailers are left to read)."""
        size = int(self.line().split(b";")[0], 16)
        if size == 0:
            return b""
        data = self.exactly(size)
        if self.exactly(2) != b"\r\n":
            raise Broken("a chunk does not end in CRLF")
        return data

    def body(self, answer, method="GET"):
        if method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return b""
        lengths = answer.all("content-length")
        codings = answer.all("transfer-encoding")
        if lengths and codings or len(lengths) > 1:
            raise Broken(f"ambiguous framing: {answer.headers}")
        if codings:
            parts = []
            while part := self.chunk():
                parts.append(part)
            answer.trailers = self.fields()
            return b"".join(parts)
        if lengths:
            return self.exactly(int(lengths[0]))
        try:
            while True:
                self._more()
        except EOFError:
            data = bytes(self.buffer)
            self.buffer.clear()
            return data

    def response(self, method="GET"):
        """The next final response; 1xx before it are in `interim`."""
        interim = []
        while (answer := self.head()).status < 200 and answer.status != 101:
            interim.append(answer)
        answer.interim = interim
        answer.body = self.body(answer, method)
        return answer

    def is_closed(self):
        """Whether the peer closes (or resets) within the timeout, sending nothing more."""
        if self.buffer:
            return False
        try:
            return self.sock.recv(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True
        except TimeoutError:
            return False

    def rest(self):
        """Everything until the peer closes."""
        parts = [bytes(self.buffer)]
        self.buffer.clear()
        try:
            while data := self.sock.recv(65536):
                parts.append(data)
        except (ConnectionError, ssl.SSLError):
            pass
        return b"".join(parts)
