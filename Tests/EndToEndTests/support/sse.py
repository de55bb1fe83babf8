"""A listener of server-sent events, written from the HTML standard's text (section 9.2.6)."""
import json
import queue
import threading

from .wire import Broken


class Event:
    def __init__(self, id, type, data):
        self.id, self.type, self.text = id, type, data

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"<{self.id} {self.type} {self.text[:200]}>"


class Parser:
    """Lines in, events out; `last_id` is what the client would come back with."""

    def __init__(self):
        self.last_id, self.retry, self.comments = "", None, 0
        self._data, self._type, self._id, self._rest = [], "", "", ""

    def feed(self, text):
        self._rest += text
        while "\n" in self._rest:
            line, self._rest = self._rest.split("\n", 1)
            event = self._line(line)
            if event:
                yield event

    def _line(self, line):
        if not line:
            self.last_id = self._id
            data, type_, self._data, self._type = self._data, self._type, [], ""
            return Event(self.last_id, type_ or "message", "\n".join(data)) if data else None
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if not field:
            self.comments += 1
        elif field == "data":
            self._data.append(value)
        elif field == "event":
            self._type = value
        elif field == "id":
            self._id = value
        elif field == "retry":
            self.retry = int(value)
        return None


class Listener:
    """A stream that is open: events come out of `next`."""

    def __init__(self, service, query="", key=None, last_id=None, receive_buffer=None, reads=True):
        self.parser, self.events, self.ended = Parser(), queue.Queue(), threading.Event()
        headers = [("X-API-Key", key or service.key), ("Accept", "text/event-stream")]
        if last_id is not None:
            headers.append(("Last-Event-ID", last_id))
        self.wire = service.plain(receive_buffer=receive_buffer, timeout=60)
        self.wire.request("GET", "/api/v1/events" + query, "localhost", headers)
        self.head = self.wire.head()
        self.clean = None
        if self.head.status == 200 and reads:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while part := self.wire.chunk():
                for event in self.parser.feed(part.decode()):
                    self.events.put(event)
            self.clean = True
        except (Broken, OSError, ValueError):
            self.clean = False
        self.ended.set()
        self.events.put(None)

    def next(self, seconds=20):
        """The next event; None when the stream has ended."""
        try:
            return self.events.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"no event within {seconds} s") from None

    def take(self, count):
        return [self.next() for _ in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()
