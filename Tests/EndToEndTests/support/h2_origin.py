"""A local program that speaks HTTP/2 without TLS (prior knowledge), whose every frame the test decides."""
import queue
import socket
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings


class Stream:
    """One request at the origin; scripts run on a thread of their own."""

    def __init__(self, connection, number, headers):
        self.connection, self.number, self.headers = connection, number, headers
        self.method, self.target = self.header(":method"), self.header(":path")
        self.arrived, self.trailers, self.reset_code = queue.Queue(), [], None
        self.gone = threading.Event()

    def header(self, name):
        return next((v for k, v in self.headers if k == name), None)

    def piece(self, timeout=20):
        """The next bytes of the body, given back to the window; None at its end."""
        data, flow = self.arrived.get(timeout=timeout)
        if data is None:
            return None
        self.connection.acknowledge(flow, self.number)
        return data

    def body(self):
        return b"".join(iter(self.piece, None))

    def head(self, status=200, headers=(), end=False):
        self.connection.run(lambda c: c.send_headers(self.number, [(":status", str(status)), *headers], end_stream=end))

    def send(self, data, end=False):
        self.connection.send(self, memoryview(data), end)

    def end(self, trailers=()):
        if trailers:
            self.connection.run(lambda c: c.send_headers(self.number, list(trailers), end_stream=True))
        else:
            self.connection.run(lambda c: c.end_stream(self.number))

    def reset(self, code):
        self.connection.run(lambda c: c.reset_stream(self.number, error_code=code))

    def answer(self, status=200, headers=(), body=b"", trailers=()):
        self.head(status, headers)
        self.send(body)
        self.end(trailers)


class Connection:
    def __init__(self, origin, sock):
        self.origin, self.sock, self.streams = origin, sock, {}
        self.room = threading.Condition(threading.RLock())
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="latin-1"))
        self.h2.local_settings.update(origin.settings)
        self.h2.initiate_connection()
        self.run(lambda c: c.increment_flow_control_window(1 << 24))

    def run(self, action):
        with self.room:
            result = action(self.h2)
            if data := self.h2.data_to_send():
                self.sock.sendall(data)
            return result

    def acknowledge(self, count, number):
        try:
            if count:
                self.run(lambda c: c.acknowledge_received_data(count, number))
        except h2.exceptions.ProtocolError:
            pass  # the stream is over

    def send(self, stream, view, end):
        while view or end:
            with self.room:
                while view and (left := min(self.h2.local_flow_control_window(stream.number), self.h2.max_outbound_frame_size)) == 0:
                    if stream.gone.is_set() or not self.room.wait(60):
                        raise ConnectionError("nobody takes the body")
                part = bytes(view[:left]) if view else b""
                view = view[len(part):]
                self.run(lambda c: c.send_data(stream.number, part, end_stream=end and not view))
                if not view:
                    return

    def serve(self):
        try:
            while data := self.sock.recv(1 << 16):
                with self.room:
                    events = self.h2.receive_data(data)
                    self.run(lambda c: None)
                    for event in events:
                        self.handle(event)
                    self.room.notify_all()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        finally:
            for stream in self.streams.values():
                stream.gone.set()
                stream.arrived.put((None, 0))
            self.sock.close()

    def handle(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.RequestReceived):
            stream = self.streams[event.stream_id] = Stream(self, event.stream_id, event.headers)
            self.origin.seen.append(stream)
            threading.Thread(target=self.act, args=(stream,), daemon=True).start()
        elif isinstance(event, h2.events.DataReceived):
            stream.arrived.put((bytes(event.data), event.flow_controlled_length))
        elif isinstance(event, h2.events.TrailersReceived):
            stream.trailers = event.headers
        elif isinstance(event, h2.events.StreamEnded):
            stream.arrived.put((None, 0))
        elif isinstance(event, h2.events.StreamReset):
            stream.reset_code = int(event.error_code)
            stream.gone.set()
            stream.arrived.put((None, 0))

    def act(self, stream):
        try:
            self.origin.scripts.get(stream.target.split("?")[0], hello)(stream)
        except (OSError, h2.exceptions.ProtocolError):
            pass  # the peer has gone: the test looks at its own side


def hello(stream):
    stream.body()
    stream.answer(200, [("content-type", "text/plain")], b"Hello, world!")


class H2Origin:
    """Serves scripts by path on a free port of the loopback interface."""

    def __init__(self, settings=None):
        self.settings = settings or {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.number = self.listener.getsockname()[1]
        # What `culvert http` is given in place of a port.
        self.port = f"h2c://127.0.0.1:{self.number}"
        self.scripts, self.seen, self.connections = {}, [], []
        threading.Thread(target=self._accept, daemon=True).start()

    def on(self, path, script):
        self.scripts[path] = script

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, sock)
            self.connections.append(connection)
            threading.Thread(target=connection.serve, daemon=True).start()

    def go_away(self):
        """Takes no more requests on the connections that there are; open ones go on."""
        for connection in self.connections:
            try:
                connection.run(lambda c: c.close_connection(last_stream_id=(1 << 31) - 1))
            except (OSError, h2.exceptions.ProtocolError):
                pass

    def close(self):
        for sock in [self.listener, *(c.sock for c in self.connections)]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()
