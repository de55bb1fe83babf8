"""Waiting for something to become true, with a deadline and the last value in the failure."""
import time

import pytest

PATIENCE_SECONDS = 20


def until(what, probe, seconds=PATIENCE_SECONDS):
    """Calls probe until it is true and returns that value; fails with the last one when the deadline passes."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} s: {what} (last value: {value!r})")
        time.sleep(0.01)  # between two looks; what is awaited has no event of its own


class Stopwatch:
    def __init__(self):
        self.started = time.monotonic()

    @property
    def seconds(self):
        return time.monotonic() - self.started
