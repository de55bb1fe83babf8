"""What is measured: an origin, and two ways to reach it through an edge and an agent, TLS on both hops."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import machine

HERE = Path(__file__).resolve().parent
BULK_BYTES = 100 * 1024 * 1024
GREETING = b"Hello, world!"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


class Topology:
    """Processes by role, a scratch folder, and the URL where clients come in."""

    def __init__(self, name):
        self.name, self.url = name, None
        self.folder = Path(tempfile.mkdtemp(prefix=f"culvert-bench-{name}-"))
        self.folder.chmod(0o755)
        self.roles = {"edge": [], "agent": []}
        self.children = []

    @property
    def port(self):
        return urlsplit(self.url).port

    @property
    def host(self):
        return urlsplit(self.url).hostname

    @property
    def pids(self):
        return self.roles["edge"] + self.roles["agent"]

    def stop(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for pid in set(self.pids) - {c.pid for c in self.children}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)

    def nginx(self, name, configuration):
        path = self.folder / f"{name}.conf"
        path.write_text(configuration)
        log = open(self.folder / f"{name}.log", "wb")
        child = subprocess.Popen([NGINX, "-p", self.folder, "-e", "stderr", "-c", path], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.children.append(child)
        return child.pid


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "7", "-subj",
                    "/CN=bench.localhost", "-addext", "subjectAltName=DNS:bench.localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)


PROCESS = """daemon off; worker_processes {workers}; worker_rlimit_nofile 20000; pid {folder}/{name}.pid; error_log stderr crit;
events {{ worker_connections 20000; }}
"""
HEAD = PROCESS + """http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 600; tcp_nodelay on; sendfile on; client_max_body_size 0;
  client_body_temp_path {folder}/{name}-body; proxy_temp_path {folder}/{name}-proxy; fastcgi_temp_path {folder}/{name}-f;
  uwsgi_temp_path {folder}/{name}-u; scgi_temp_path {folder}/{name}-s; default_type application/octet-stream;
"""


UPGRADE = 'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Host $host;'


def start_origin():
    """nginx with one worker: a greeting of 13 bytes, a file of 100 MiB in memory, a place to put one, and an echoing WebSocket."""
    origin = Topology("origin")
    port, shm = machine.free_port(), Path(tempfile.mkdtemp(prefix="culvert-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    shm.chmod(0o777)
    (shm / "put").mkdir(mode=0o777)
    (shm / "put").chmod(0o777)
    (shm / "bulk").write_bytes(bytes(range(256)) * (BULK_BYTES // 256))
    (shm / "bulk").chmod(0o644)
    origin.data = shm
    origin.port_number = port
    echo = machine.free_port()
    origin.children.append(subprocess.Popen([sys.executable, HERE / "websockets.py", str(echo)], stdin=subprocess.DEVNULL))
    machine.wait_for_port(echo)
    pid = origin.nginx("origin", HEAD.format(workers=1, folder=origin.folder, name="origin") + f"""
      open_file_cache max=100; client_body_buffer_size 256k; client_body_temp_path {shm}/tmp;
      server {{ listen 127.0.0.1:{port} backlog=4096;
        location = /hello {{ default_type text/plain; return 200 "{GREETING.decode()}"; }}
        location /put/ {{ root {shm}; dav_methods PUT; }}
        location = /ws {{ proxy_pass http://127.0.0.1:{echo}; {UPGRADE} }}
        location / {{ root {shm}; }} }} }}""".replace(f"client_body_temp_path {shm}/tmp;", ""))
    origin.roles["edge"] = [pid]
    machine.wait_for_port(port)
    stop = origin.stop
    origin.stop = lambda: (stop(), shutil.rmtree(shm, ignore_errors=True))
    return origin


def start_nginx(origin):
    """Client → TLS → nginx → TLS → nginx → origin, streaming, connections kept alive."""
    t = Topology("nginx")
    certificate(t.folder)

    def proxy(name, listen, scheme, upstream):
        pid = t.nginx(name, HEAD.format(workers="auto", folder=t.folder, name=name) + f"""
          upstream next {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000; }}
          server {{ listen 127.0.0.1:{listen} ssl http2 backlog=4096; ssl_certificate {t.folder}/cert.pem; ssl_certificate_key {t.folder}/key.pem;
            ssl_protocols TLSv1.2 TLSv1.3;
            location = /ws {{ proxy_pass {scheme}://next; {UPGRADE} }}
            location / {{ proxy_pass {scheme}://next; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
              proxy_buffers 16 32k; proxy_max_temp_file_size 0; proxy_request_buffering off; }} }} }}""")
        t.roles[name].append(pid)
        machine.wait_for_port(listen)
        return listen
    inner = proxy("agent", machine.free_port(), "http", origin.port_number)
    t.url = f"https://bench.localhost:{proxy('edge', machine.free_port(), 'https', inner)}"
    return t


def start_nginx_passthrough(origin):
    """Client → nginx, which looks at the ClientHello → nginx, where the client's TLS ends → origin: no TLS between the two."""
    t = Topology("nginx")
    certificate(t.folder)
    inner, outer = machine.free_port(), machine.free_port()
    t.roles["agent"].append(t.nginx("agent", HEAD.format(workers="auto", folder=t.folder, name="agent") + f"""
      upstream next {{ server 127.0.0.1:{origin.port_number}; keepalive 512; keepalive_requests 1000000000; }}
      server {{ listen 127.0.0.1:{inner} ssl http2 backlog=4096; ssl_certificate {t.folder}/cert.pem; ssl_certificate_key {t.folder}/key.pem;
        location / {{ proxy_pass http://next; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffers 16 32k;
          proxy_max_temp_file_size 0; proxy_request_buffering off; }} }} }}"""))
    t.roles["edge"].append(t.nginx("edge", f"load_module {STREAM_MODULE};" + PROCESS.format(workers="auto", folder=t.folder, name="edge") + f"""
      stream {{ map $ssl_preread_server_name $next {{ bench.localhost 127.0.0.1:{inner}; }}
        server {{ listen 127.0.0.1:{outer} backlog=4096; ssl_preread on; tcp_nodelay on; proxy_pass $next; }} }}"""))
    for port in (inner, outer):
        machine.wait_for_port(port)
    t.url = f"https://bench.localhost:{outer}"
    return t


def start_culvert_passthrough(origin):
    """Client → culvertd, which looks at the ClientHello → TLS, HTTP/2 → culvert, where the client's TLS ends → origin."""
    return start_culvert(origin, "tls")


def start_culvert(origin, command="http"):
    """Client → TLS → culvertd → TLS, HTTP/2 → culvert → origin, as Tests/Benchmarks/up starts it."""
    t = Topology("culvert")
    given = {"PERF_ORIGIN": f"127.0.0.1:{origin.port_number}", "PERF_DIR": str(t.folder), "CULVERT_BENCH_COMMAND": command}
    out = subprocess.run([HERE / "up"], env={**os.environ, **given}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=120)
    for line in out.stdout.splitlines():
        key, _, value = line.partition("=")
        if key in ("edge_pid", "agent_pid"):
            t.roles[key.removesuffix("_pid")].append(int(value))
        elif line.startswith("https://"):
            t.url = line
    if out.returncode or not t.url:
        t.stop()
        raise RuntimeError("Tests/Benchmarks/up did not bring a tunnel up; its words stand above")
    return t


STARTERS = {"nginx": start_nginx, "culvert": start_culvert}
