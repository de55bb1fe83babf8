"""A gRPC server of grpcio, with bytes for messages, and a client that reaches it through a tunnel."""
import threading
from concurrent import futures

import grpc

UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Echo(grpc.GenericRpcHandler):
    def __init__(self):
        # What tests wait for, by the name that their call gives in its metadata.
        self.began, self.ended, self.sent = {}, {}, {}
        self.lock = threading.Lock()

    def event(self, kind, name):
        with self.lock:
            return kind.setdefault(name, threading.Event())

    def service(self, details):
        return {
            "/test.Echo/Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "/test.Echo/Split": grpc.unary_stream_rpc_method_handler(self.split),
            "/test.Echo/Join": grpc.stream_unary_rpc_method_handler(self.join),
            "/test.Echo/Chat": grpc.stream_stream_rpc_method_handler(self.chat),
            "/test.Echo/Fail": grpc.unary_stream_rpc_method_handler(self.fail),
            "/test.Echo/Hang": grpc.unary_unary_rpc_method_handler(self.hang),
            "/test.Echo/Flood": grpc.unary_stream_rpc_method_handler(self.flood),
        }.get(details.method)

    @staticmethod
    def given(context):
        return {m.key: m.value for m in context.invocation_metadata()}

    def unary(self, request, context):
        own = [(k, v) for k, v in self.given(context).items() if k.startswith("x-")and not k.startswith("x-forwarded-")]
        context.send_initial_metadata([("first-" + k, v) for k, v in own])
        context.set_trailing_metadata([("last-" + k, v) for k, v in own])
        return request[::-1]

    def split(self, request, context):
        for i in range(0, len(request), 4):
            yield request[i:i + 4]

    def join(self, requests, context):
        return b"".join(requests)

    def chat(self, requests, context):
        name = self.given(context).get("x-name", "")
        context.add_callback(self.event(self.ended, name).set)
        self.event(self.began, name).set()
        for request in requests:
            yield b"<" + request + b">"

    def fail(self, request, context):
        code, count = request.split()
        for _ in range(int(count)):
            yield b"before"
        context.set_trailing_metadata([("x-why-bin", bytes(range(256)))])
        context.abort(next(c for c in grpc.StatusCode if c.value[0] == int(code)), "broken: 100 % sure, söhne")

    def hang(self, request, context):
        name = self.given(context)["x-name"]
        over = self.event(self.ended, name)
        if not context.add_callback(over.set):
            over.set()
        self.sent[name] = context.time_remaining()
        self.event(self.began, name).set()
        over.wait(60)
        return b""

    def flood(self, request, context):
        name = self.given(context)["x-name"]
        context.add_callback(self.event(self.ended, name).set)
        piece = bytes(1 << 16)
        for i in range(int(request)):
            self.sent[name] = i
            yield piece


class GRPCServer:
    """Serves on a port of the loopback interface; `port` is what `culvert http` is given."""

    def __init__(self, number=0, options=(), workers=32):
        self.echo = Echo()
        self.server = grpc.server(futures.ThreadPoolExecutor(workers), handlers=[self.echo],
                                  options=[*UNLIMITED, ("grpc.so_reuseport", 0), *options])
        self.number = self.server.add_insecure_port(f"127.0.0.1:{number}")
        self.port = f"grpc://127.0.0.1:{self.number}"
        self.server.start()

    def close(self):
        self.server.stop(None).wait(20)


class GRPCClient:
    """A channel to a tunnel's public host."""

    def __init__(self, service, host, options=()):
        with open(service.ca, "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read())
        self.channel = grpc.secure_channel(
            f"127.0.0.1:{service.https_port}", credentials,
            options=[*UNLIMITED, ("grpc.ssl_target_name_override", host), ("grpc.default_authority", host),
                     ("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1), *options])
        self.unary = self.channel.unary_unary("/test.Echo/Unary")
        self.split = self.channel.unary_stream("/test.Echo/Split")
        self.join = self.channel.stream_unary("/test.Echo/Join")
        self.chat = self.channel.stream_stream("/test.Echo/Chat")
        self.fail = self.channel.unary_stream("/test.Echo/Fail")
        self.hang = self.channel.unary_unary("/test.Echo/Hang")
        self.flood = self.channel.unary_stream("/test.Echo/Flood")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
