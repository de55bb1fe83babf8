"""A wall clock that a test sets while the service runs; the monotonic clock stays the machine's."""
import ctypes
import glob
import os
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def moment(text):
    """The moment that the API writes as this text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class SharedMemory:
    """What libfaketime would make for itself, and leave behind.

    It would also tell its children by setenv, which moves the environment, behind which Swift looks for its arguments.
    """

    BYTES = 4096

    def __init__(self):
        self.name = f"culvert-clock-{uuid.uuid4().hex[:12]}"
        self.memory, self.semaphore = Path("/dev/shm") / self.name, Path("/dev/shm") / f"sem.{self.name}"
        self.memory.write_bytes(bytes(self.BYTES))
        libc = ctypes.CDLL(None, use_errno=True)
        libc.sem_open.restype = ctypes.c_void_p
        made = libc.sem_open(f"/{self.name}".encode(), os.O_CREAT | os.O_EXCL, 0o600, 1)
        if not made:
            raise OSError(ctypes.get_errno(), "sem_open")
        libc.sem_close(ctypes.c_void_p(made))

    @property
    def names(self):
        return f"/{self.name} /{self.name}"

    def remove(self):
        self.memory.unlink()
        self.semaphore.unlink()


class WallClock:
    """Stands still until it is set, so that a test can ask one second before an edge and at it.

    It begins with the time that the rest of the machine has: agents check the service's certificate by theirs.
    """

    def __init__(self, folder):
        self.file = Path(folder) / "wall-clock"
        self.shared = SharedMemory()
        self.set(datetime.now(timezone.utc).replace(microsecond=0))

    @property
    def environment(self):
        return {"FAKETIME_SHARED": self.shared.names, "LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": str(self.file),
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1", "TZ": "UTC"}

    def set(self, now):
        """At once and whole: the service reads the file at every look at the clock."""
        self.now = now
        new = self.file.with_suffix(".new")
        new.write_text(now.strftime("%Y-%m-%d %H:%M:%S\n"))
        os.replace(new, self.file)

    def move(self, by):
        self.set(self.now + by)
