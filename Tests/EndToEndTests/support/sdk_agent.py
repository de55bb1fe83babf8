"""A published Inkbox SDK as an agent: sdk_agent.py NAME TARGET STATE_DIR TLS_MODE, the rest from the environment.

The SDK itself is as published. Only where it finds the zone's port 443 is the test's: the services of tests have ports of their own.
TARGET is a URL, or `asgi` for the application in asgi_app.py. Every line of the output is one event: `status …` tells what the SDK
reports, `ended …` how it came out.
"""
import asyncio
import logging
import os
import sys

from inkbox import Inkbox
from inkbox.tunnels.client import _listener

import asgi_app

real = asyncio.open_connection


async def to_the_tests_port(host=None, port=None, **options):
    is_zone = host == "localhost" and port == 443
    return await real("127.0.0.1" if is_zone else host, int(os.environ["EDGE_PORT"]) if is_zone else port, **options)

asyncio.open_connection = to_the_tests_port
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
name, target, folder, tls_mode = sys.argv[1:]
client = Inkbox(api_key=os.environ["API_KEY"], base_url=os.environ["API_URL"])
options = {"tls_mode": tls_mode} if "tls_mode" in _listener.connect.__kwdefaults__ else {}
listener = _listener.connect(client, name=name, forward_to=asgi_app.app if target == "asgi" else target, state_dir=folder,
                             on_status=lambda status: print(f"status {status}", flush=True), **options)
try:
    listener.wait()
    print("ended", flush=True)
except BaseException as end:
    print(f"ended {type(end).__name__} {end}", flush=True)
    raise
