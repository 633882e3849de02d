"""Processes that a life starts, and ends by their pid; nothing else is ended."""
import atexit
import os
import signal
import socket
import subprocess
import time

RUNNING = []


class Process:
    def __init__(self, command, log, env=None, cwd=None):
        self.log = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True)
        RUNNING.append(self)

    def is_running(self):
        return self.popen.poll() is None

    def stop(self, patience=20):
        """SIGTERM, and SIGKILL to its group if that does not help. Gives the exit code."""
        if self.is_running():
            self.popen.terminate()
            try:
                self.popen.wait(patience)
            except subprocess.TimeoutExpired:
                pass
        self.kill()
        return self.popen.returncode

    def kill(self):
        """Ends it, and what it has started, at once."""
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.popen.wait()
        if self in RUNNING:
            RUNNING.remove(self)

    def tail(self, lines=15):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])


@atexit.register
def end_all():
    for process in list(RUNNING):
        process.kill()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(is_ready, process, seconds, what):
    end = time.monotonic() + seconds
    while not is_ready():
        if not process.is_running():
            raise RuntimeError(f"{what} ended:\n{process.tail()}")
        if time.monotonic() > end:
            raise RuntimeError(f"{what} was not ready after {seconds} s:\n{process.tail()}")
        time.sleep(0.1)
