"""A third party that speaks HTTP/2, politely by the h2 package or rudely by single frames."""
import h2.config
import h2.connection
import h2.events
import hpack
from hyperframe import frame as frames

from .wire import Answer, Wire

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class H2Party:
    """One connection; requests are sent and read in the calling thread."""

    def __init__(self, service, host, timeout=20, sni=None):
        self.host = host
        self.wire = service.secure(sni or host, alpn=["h2"], timeout=timeout)
        assert self.wire.sock.selected_alpn_protocol() == "h2", "the service did not choose h2"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            header_encoding="latin-1", validate_outbound_headers=False, normalize_outbound_headers=False))
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(1 << 26)
        self.answers, self.heads, self.resets, self.goaway = {}, {}, {}, None
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def flush(self):
        if data := self.h2.data_to_send():
            self.wire.sock.sendall(data)

    def start(self, method="GET", path="/", headers=(), end=True, authority=None):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [(":method", method), (":scheme", "https"), (":authority", authority or self.host),
                                      (":path", path), *headers], end_stream=end)
        self.answers[stream] = [None, [], bytearray(), False]
        self.flush()
        return stream

    def send(self, stream, data, end=True):
        view = memoryview(data)
        while view:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(view))
            if not room:
                self.step()
                continue
            self.h2.send_data(stream, bytes(view[:room]), end_stream=end and room == len(view))
            view = view[room:]
            self.flush()

    def step(self):
        """Reads once from the connection."""
        data = self.wire.sock.recv(1 << 16)
        if not data:
            raise EOFError("the service closed the connection")
        for event in self.h2.receive_data(data):
            stream = getattr(event, "stream_id", None)
            if isinstance(event, h2.events.ResponseReceived):
                self.answers[stream][1] = event.headers
                self.answers[stream][0] = int(dict(event.headers)[":status"])
            elif isinstance(event, h2.events.DataReceived):
                self.answers[stream][2] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
            elif isinstance(event, h2.events.StreamEnded):
                self.answers[stream][3] = True
            elif isinstance(event, h2.events.StreamReset):
                self.resets[stream] = int(event.error_code)
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goaway = (int(event.error_code), event.additional_data)
        self.flush()

    def finish(self, stream):
        """The whole answer of a stream; None when the service reset it before a head."""
        while stream not in self.resets and not self.answers[stream][3]:
            self.step()
        status, headers, body, _ = self.answers[stream]
        return Answer(status, [(k, v) for k, v in headers if not k.startswith(":")], bytes(body)) if status else None

    def request(self, method="GET", path="/", headers=(), body=b"", authority=None):
        stream = self.start(method, path, headers, end=not body, authority=authority)
        if body:
            self.send(stream, body)
        return self.finish(stream)


class Frames:
    """A connection on which single frames are sent, whatever the rules say."""

    def __init__(self, service, host, timeout=20):
        self.host = host
        self.wire = service.secure(host, alpn=["h2"], timeout=timeout)
        self.encoder = hpack.Encoder()
        self.wire.send(PREFACE)
        self.send(frames.SettingsFrame())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def send(self, *sent):
        self.wire.send(*(f.serialize() for f in sent))

    def block(self, *extra, method="GET", path="/", authority=None):
        return self.encoder.encode([(":method", method), (":scheme", "https"), (":authority", authority or self.host),
                                    (":path", path), *extra])

    def headers(self, stream, block, flags=("END_HEADERS", "END_STREAM")):
        return frames.HeadersFrame(stream, block, flags=list(flags))

    def flood(self, make, count, batch=64):
        """Sends make(i) for each i; returns how many went out before the service cut the connection."""
        sent = 0
        try:
            while sent < count:
                chunk = [make(i) for i in range(sent, min(sent + batch, count))]
                self.send(*chunk)
                sent += len(chunk)
        except OSError:
            pass
        return sent

    def next_frame(self):
        head = self.wire.exactly(9)
        frame, length = frames.Frame.parse_frame_header(memoryview(head))
        frame.parse_body(memoryview(self.wire.exactly(length)))
        return frame

    def until_closed(self):
        """The code of the GOAWAY that comes before the end, if one comes; None without. Times out when the service does not close."""
        code = None
        from .wire import Broken
        try:
            while True:
                frame = self.next_frame()
                if isinstance(frame, frames.GoAwayFrame):
                    code = frame.error_code
        except (Broken, ConnectionError, OSError) as e:
            if isinstance(e, TimeoutError):
                raise
            return code
