"""Simulated time, and what the functions' modules get instead of `datetime` and `time`."""

import datetime as standard
import time as standard_time
from datetime import UTC, timedelta
from types import SimpleNamespace

START = standard.datetime(2026, 11, 23, tzinfo=UTC)


class Clock:
    """The time of one simulated world."""

    def __init__(self):
        self.now = START
        self.while_asleep = lambda: None

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)

    def sleep(self, seconds):
        """A function waits, and the world goes on meanwhile."""
        self.advance(seconds)
        self.while_asleep()

    def label(self):
        """Hours, minutes and seconds since the start of the story."""
        seconds = int((self.now - START).total_seconds())
        return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"


def replace_time(module, clock):
    """Give the simulated time to one module of a function. `clock()` is the clock of the current world."""
    for name, value in list(vars(module).items()):
        if value is standard.datetime:
            setattr(module, name, _simulated_datetime(clock))
        elif value is standard_time:
            setattr(module, name, _simulated_time(clock))


def _simulated_datetime(clock):
    class Datetime(standard.datetime):
        @classmethod
        def now(cls, tz=None):
            now = clock().now
            return now.astimezone(tz) if tz else now.replace(tzinfo=None)

    return Datetime


def _simulated_time(clock):
    def seconds():
        return clock().now.timestamp()

    return SimpleNamespace(time=seconds, monotonic=seconds, sleep=lambda wait: clock().sleep(wait))
