"""An agent written from the protocol's text on the h2 package: every frame is the test's choice."""
import json
import queue
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import hyperframe.frame

from .shared_tls import SharedTLS

PATIENCE_SECONDS = 20


class Reply:
    """What the service answered on one stream."""

    def __init__(self):
        self.status, self.headers, self.data, self.reset_code = None, {}, bytearray(), None
        self.fields = []
        self.head, self.ended, self.pieces = threading.Event(), threading.Event(), queue.Queue()

    def wait(self, seconds=PATIENCE_SECONDS):
        assert self.ended.wait(seconds), f"no end of the answer within {seconds} s (status so far: {self.status})"
        return self

    def json(self):
        return json.loads(self.data)

    @property
    def reason(self):
        return self.headers.get("inkbox-reason")


class Envelope:
    """A third party's request, as an intake was answered with it."""

    def __init__(self, reply):
        self.reply, h = reply, reply.headers
        self.id, self.method, self.path = h["inkbox-request-id"], h["inkbox-method"], h["inkbox-path"]
        self.kind, self.forwarded_for = h.get("inkbox-route-kind"), h.get("inkbox-forwarded-for")
        self.headers = [(k[len("inkbox-h-"):], v) for k, v in reply.fields if k.startswith("inkbox-h-")]

    def body(self):
        return bytes(self.reply.wait().data)


class ScriptedAgent:
    def __init__(self, service, tunnel, secret=None, hello=True, pool=None, credential=None, header_encoding="utf-8", **settings):
        self.service, self.tunnel = service, tunnel
        self.credential = credential or ("x-tunnel-secret", secret or tunnel.secret)
        self.connection = SharedTLS(service.https_port, service.tls(alpn=["h2"]), "localhost")
        assert self.connection.session.selected_alpn_protocol() == "h2"
        self.lock, self.replies = threading.Lock(), {}
        self.goaway, self.goaway_code, self.goaway_data = threading.Event(), None, None
        self.ended, self.remote_settings, self.token = threading.Event(), {}, None
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding=header_encoding, validate_outbound_headers=False, normalize_outbound_headers=False))
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(1 << 24)
        self._flush()
        self.settled = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if hello:
            answer = self.hello(pool)
            assert answer.status == 200, f"hello: {answer.status} {answer.data!r}"

    # ---- sending

    def _flush(self):
        data = self.h2.data_to_send()
        if data:
            self.connection.sendall(data)

    def open(self, path, headers=(), method="POST", end=True, authority="localhost"):
        """Sends the head of a request; returns its stream and where the answer will be."""
        with self.lock:
            stream = self.h2.get_next_available_stream_id()
            self.replies[stream] = reply = Reply()
            self.h2.send_headers(stream, [(":method", method), (":scheme", "https"), (":authority", authority), (":path", path),
                                          *headers], end_stream=end)
            self._flush()
        return stream, reply

    def send(self, stream, data, end=False):
        """Body bytes, waiting for the window; gives up when the service has answered already."""
        view = memoryview(data)
        while not self.replies[stream].head.is_set():
            with self.lock:
                try:
                    window = self.h2.local_flow_control_window(stream)
                except h2.exceptions.StreamClosedError:
                    return
                room = min(window, self.h2.max_outbound_frame_size, len(view))
                if room or not view:
                    try:
                        self.h2.send_data(stream, bytes(view[:room]), end_stream=end and room == len(view))
                    except h2.exceptions.StreamClosedError:
                        return  # the service has answered and reset what it does not want
                    self._flush()
                    view = view[room:]
                    if not view:
                        return
                    continue
            if self.ended.wait(0.005):
                raise ConnectionError("the connection ended while sending")

    def hello(self, pool=None, tunnel_id=None):
        headers = [("x-tunnel-id", tunnel_id or self.tunnel.id), self.credential, ("content-length", "0")]
        if pool is not None:
            headers.append(("x-pool-size", str(pool)))
        _, reply = self.open("/_system/hello", headers)
        reply.wait()
        if reply.status == 200:
            self.token = reply.json()["owner_token"]
        return reply

    def park(self, slot=0, token=None):
        return self.open("/_system/intake", [("x-tunnel-id", self.tunnel.id), ("x-owner-token", token or self.token),
                                             ("x-pool-slot", str(slot))])[1]

    def reset(self, reply, code):
        """A reset of this exchange's stream as it leaves an agent that has not seen its answer yet, whatever has come by now."""
        stream = next(s for s, r in self.replies.items() if r is reply)
        with self.lock:
            self.connection.sendall(hyperframe.frame.RstStreamFrame(stream, error_code=code).serialize())

    def take(self, parked=None):
        """Waits until an intake is answered with a request."""
        parked = parked or self.park()
        assert parked.head.wait(PATIENCE_SECONDS), "no request came"
        assert parked.status == 200, f"the intake was answered {parked.status} {parked.headers}"
        return Envelope(parked)

    def begin_reply(self, request_id, status=200, headers=(), end=False, length=None, extra=(), tunnel_id=None):
        sent = [("x-tunnel-id", tunnel_id or self.tunnel.id), self.credential, ("inkbox-request-id", request_id),
                ("inkbox-status", str(status))]
        if length is not None:
            sent.append(("content-length", str(length)))
        sent += [("inkbox-h-" + k, v) for k, v in headers] + list(extra)
        return self.open(f"/_system/response/{request_id}", sent, end=end)

    def reply(self, request_id, status=200, headers=(), body=b"", **options):
        """A whole reply; returns the service's answer to it."""
        stream, answer = self.begin_reply(request_id, status, headers, end=not body, length=len(body), **options)
        if body:
            self.send(stream, body, end=True)
        return answer.wait()

    def close(self):
        """Cuts the TCP connection, without GOAWAY or TLS farewell."""
        self.connection.cut()
        self.ended.wait(PATIENCE_SECONDS)
        self.connection.close()

    # ---- receiving

    def _read(self):
        try:
            while data := self.connection.recv(1 << 16):
                with self.lock:
                    events = self.h2.receive_data(data)
                    for event in events:
                        self._on(event)
                    self._flush()
        except (OSError, ValueError, h2.exceptions.H2Error) as e:
            self.error = e
        finally:
            self.ended.set()
            self.settled.set()
            for reply in list(self.replies.values()):
                reply.head.set()
                reply.ended.set()

    def _on(self, event):
        reply = self.replies.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.RemoteSettingsChanged):
            self.remote_settings.update({int(k): v.new_value for k, v in event.changed_settings.items()})
            self.settled.set()
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway_code, self.goaway_data = int(event.error_code), event.additional_data
            self.goaway.set()
        elif reply is None:
            pass
        elif isinstance(event, h2.events.ResponseReceived):
            reply.fields = [(_text(k), _text(v)) for k, v in event.headers]
            reply.headers = dict(reply.fields)
            reply.status = int(reply.headers[":status"])
            reply.head.set()
        elif isinstance(event, h2.events.DataReceived):
            reply.data += event.data
            reply.pieces.put(event.data)
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            reply.reset_code = int(event.error_code)
            reply.head.set()
            reply.ended.set()
        elif isinstance(event, h2.events.StreamEnded):
            reply.ended.set()


def _text(value):
    return value if isinstance(value, str) else value.decode("latin-1")
