"""One worker process: its start, its socket, its end with all that it started."""

import contextlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import uuid

import psutil

from ._channel import MessageReader, frame
from ._left_behind import OWNER, own_mark
from ._threads import THREAD_VARIABLES
from ._worker import READY

__all__ = ["WorkerProcess", "import_paths"]

# Runs before anything of ours can be imported, and tells why it cannot.
_PROGRAM = """
import sys
if sys.platform == "win32":
    import socket
    channel = socket.fromshare(sys.stdin.buffer.read())
else:
    import socket
    channel = socket.socket(fileno=int(sys.argv[1]))
try:
    import json
    sys.path[:] = json.loads(sys.argv[2])
    del sys.argv[1:]
    from sk_metalearn.evaluation._worker import main
except BaseException:
    import os, struct, traceback
    text = traceback.format_exc().encode("utf-8", "replace")
    channel.sendall(struct.pack("<4sQ", b"skml", len(text)) + text)
    os._exit(1)
main(channel)
"""
_MARK = "SK_METALEARN_WORKER"
_PART = 2**20


def import_paths():
    """Return where this process imports from, as absolute paths."""
    paths = []
    for path in sys.path:
        if not path:
            try:
                path = os.getcwd()
            except OSError:
                # The folder was removed.
                continue
        paths.append(path)
    return paths


class WorkerProcess:
    """A process that runs one job at a time.

    Parameters
    ----------
    niceness : int
    preload : sequence of str

    Attributes
    ----------
    channel : socket
        Readable when the process has something to say, or has ended.
    ready : bool
    job : object or None
        What it runs; kept by the pool.
    began : float
        ``time.monotonic()`` of its start.

    Raises
    ------
    OSError
        If no process can be started.
    """

    def __init__(self, niceness, preload):
        self.ready, self.job, self.began = False, None, time.monotonic()
        self.problem = ""
        self.mark = uuid.uuid4().hex
        self.reader, self.unsent = MessageReader(), bytearray()
        if not sys.executable:
            raise OSError("sys.executable does not name a Python interpreter")
        marks = {_MARK: self.mark, OWNER: own_mark()}
        environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1"), **marks}
        self.channel, theirs = socket.socketpair()
        try:
            flags = subprocess._args_from_interpreter_flags()
            command = [sys.executable, *flags, "-P", "-c", _PROGRAM]
            command += [str(theirs.fileno()), json.dumps(import_paths())]
            if sys.platform == "win32":
                self.process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
                with self.process.stdin as stdin:
                    stdin.write(theirs.share(self.process.pid))
            else:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    env=environment,
                    pass_fds=[theirs.fileno()],
                    process_group=0,
                )
        except BaseException:
            self.channel.close()
            raise
        finally:
            theirs.close()
        self.channel.setblocking(False)
        with contextlib.suppress(psutil.Error):
            self.usage_of = psutil.Process(self.process.pid)
        settings = {"parent": os.getpid(), "niceness": niceness, "preload": tuple(preload)}
        self.send(settings)

    @property
    def pid(self):
        return self.process.pid

    @property
    def alive(self):
        """Whether the process has not ended."""
        return self.process.poll() is None

    def send(self, message):
        """Send an object of plain types, as far as the process takes it now."""
        self.unsent += frame(pickle.dumps(message))
        self.flush()

    def flush(self):
        """Send what is waiting to be sent."""
        with contextlib.suppress(OSError):
            while self.unsent:
                sent = self.channel.send(memoryview(self.unsent)[:_PART])
                del self.unsent[:sent]

    def receive(self):
        """Return the messages that have come, and whether the other side has hung up."""
        messages = []
        while True:
            try:
                part = self.channel.recv(_PART)
            except BlockingIOError:
                return messages, False
            except OSError:
                return messages, True
            if not part:
                return messages, True
            try:
                messages += self.reader.feed(part)
            except ValueError as error:
                self.problem = str(error)
                return messages, True

    def take_start(self, message):
        """Take in the first message; it says that the process is ready, or why it is not."""
        self.ready = message == READY
        if not self.ready:
            self.problem = message.decode("utf-8", "replace")

    def usage(self):
        """Return CPU seconds, resident bytes, and whether the process is stopped."""
        try:
            with self.usage_of.oneshot():
                times, memory = self.usage_of.cpu_times(), self.usage_of.memory_info()
                stopped = self.usage_of.status() == psutil.STATUS_STOPPED
        except (psutil.Error, AttributeError):
            return None
        return times.user + times.system, memory.rss, stopped

    def end(self):
        """End the process and all that it has started, in whatever group or session."""
        for _ in range(3):
            victims = self._descendants()
            if self.alive:
                self.process.kill()
            if hasattr(os, "killpg"):
                with contextlib.suppress(OSError):
                    os.killpg(self.pid, signal.SIGKILL)
            for victim in victims:
                with contextlib.suppress(psutil.Error):
                    victim.kill()
            # What was started in between is found by the mark it has inherited.
            if not victims:
                break
        with contextlib.suppress(OSError):
            self.channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5.0)

    def _descendants(self):
        """Return what was started below the process, also where that has ended itself."""
        found = {}
        with contextlib.suppress(psutil.Error, AttributeError):
            if self.alive:
                # So that nothing is started while we look.
                self.usage_of.suspend()
            found = {child.pid: child for child in self.usage_of.children(recursive=True)}
        for other in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if other.pid != self.pid and other.environ().get(_MARK) == self.mark:
                    if other.status() != psutil.STATUS_ZOMBIE:
                        found[other.pid] = other
        return list(found.values())

    def end_in_words(self):
        """Say how the process ended."""
        if self.problem:
            return self.problem.strip().splitlines()[-1]
        code = self.process.poll()
        if code is not None and code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = str(-code)
            return f"The worker process was ended by signal {name}."
        return f"The worker process ended with exit code {code}."
