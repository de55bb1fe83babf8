"""A wall clock that a test sets while the service runs; the monotonic clock stays the machine's."""
import atexit
import ctypes
import functools
import mmap
import shutil
import subprocess
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def moment(text):
    """The moment that the API writes as this text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@functools.cache
def library():
    """wall_clock.c, compiled by what the Swift toolchain brings along."""
    folder = Path(tempfile.mkdtemp(prefix="culvert-wall-clock-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    compiler = shutil.which("clang") or shutil.which("cc")
    assert compiler, "the tests of time need a C compiler; the folder of the swift command holds clang: put it on PATH"
    built = folder / "wall_clock.so"
    subprocess.run([compiler, "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", built,
                    Path(__file__).with_name("wall_clock.c"), "-ldl"], check=True)
    return built


class WallClock:
    """Stands still until it is set, so that a test can ask one second before an edge and at it.

    It begins with the time that the rest of the machine has: agents check the service's certificate by theirs.
    """

    def __init__(self, folder):
        self.file = Path(folder) / "wall-clock"
        self.file.write_bytes(bytes(8))
        with self.file.open("r+b") as file:
            self.hands = ctypes.c_int64.from_buffer(mmap.mmap(file.fileno(), 8))
        self.set(datetime.now(timezone.utc).replace(microsecond=0))

    @property
    def environment(self):
        return {"LD_PRELOAD": str(library()), "WALL_CLOCK_FILE": str(self.file), "TZ": "UTC"}

    def set(self, now):
        """At once and whole: the service reads the hands at every look at the clock."""
        self.now = now
        self.hands.value = int(now.timestamp())

    def move(self, by):
        self.set(self.now + by)
