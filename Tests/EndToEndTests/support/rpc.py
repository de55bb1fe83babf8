"""A client of culvert-rpc that shares no code with it: lines or Content-Length headers over the pipes."""
import itertools
import json
import os
import queue
import subprocess
import threading

CULVERT_RPC = os.environ.get("CULVERT_RPC") or os.path.join(os.path.dirname(os.environ.get("CULVERT", "")), "culvert-rpc")


class RPCError(Exception):
    def __init__(self, error):
        super().__init__(error["message"])
        self.code, self.data = error["code"], error.get("data")


class RPC:
    """One culvert-rpc, with a thread that sorts what it says."""

    def __init__(self, account=None, *words, env=None, headers=False):
        self.headers = headers
        environment = env or (account.env if account else {"HOME": "/nonexistent", "PATH": os.environ["PATH"]})
        self.process = subprocess.Popen([CULVERT_RPC, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment)
        self.answers, self.notices, self.stray = {}, queue.Queue(), []
        self.ids = itertools.count(1)
        self.lock = threading.Condition()
        self.is_over = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _messages(self):
        out = self.process.stdout
        while True:
            if not self.headers:
                line = out.readline()
                if not line:
                    return
                yield json.loads(line)
                continue
            length = None
            while (line := out.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not line:
                return
            yield json.loads(out.read(length))

    def _read(self):
        for message in self._messages():
            with self.lock:
                for part in message if isinstance(message, list) else [message]:
                    if "method" in part:
                        self.notices.put(part)
                    elif part.get("id") is None:
                        self.stray.append(part)
                    else:
                        self.answers.setdefault(json.dumps(part["id"]), []).append(part)
                self.lock.notify_all()
        with self.lock:
            self.is_over = True
            self.lock.notify_all()

    def write(self, raw):
        self.process.stdin.write(raw)
        self.process.stdin.flush()

    def put(self, message):
        text = json.dumps(message).encode()
        self.write(b"Content-Length: %d\r\n\r\n%s" % (len(text), text) if self.headers else text + b"\n")

    def begin(self, method, params=None):
        id = next(self.ids)
        message = {"jsonrpc": "2.0", "id": id, "method": method}
        self.put(message if params is None else {**message, "params": params})
        return id

    def answer(self, id, timeout=30):
        with self.lock:
            assert self.lock.wait_for(lambda: json.dumps(id) in self.answers or self.is_over, timeout), f"no answer to {id}"
            assert json.dumps(id) in self.answers, f"ended without an answer to {id}"
            return self.answers[json.dumps(id)].pop(0) if len(self.answers[json.dumps(id)]) > 1 else self.answers.pop(json.dumps(id))[0]

    def result(self, id, timeout=30):
        answer = self.answer(id, timeout)
        if "error" in answer:
            raise RPCError(answer["error"])
        return answer["result"]

    def call(self, method, params=None, timeout=30):
        return self.result(self.begin(method, params), timeout)

    def notify(self, method, params):
        self.put({"jsonrpc": "2.0", "method": method, "params": params})

    def notice(self, method, timeout=30, **wanted):
        """The next notification of this kind with these params; others are passed over."""
        while True:
            message = self.notices.get(timeout=timeout)
            if message["method"] == method and all(message["params"].get(k) == v for k, v in wanted.items()):
                return message["params"]

    def end(self, timeout=20):
        """Closes the input; the exit status must be 0, and standard error empty."""
        if self.process.poll() is None:
            self.process.stdin.close()
        self.process.wait(timeout)
        self.reader.join(timeout)
        errors = self.process.stderr.read().decode()
        assert self.process.returncode == 0, errors
        assert errors == "", errors

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(5)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                pipe.close()
            except OSError:
                pass
