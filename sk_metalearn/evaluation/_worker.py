"""The worker's side of `WorkerPool`: takes jobs from a socket, runs them, sends the answers.

It is a program of its own, no child of multiprocessing, and never imports the caller's main
script again.
"""

import contextlib
import ctypes
import importlib
import os
import pickle
import select
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass

from threadpoolctl import ThreadpoolController

from ._channel import MessageReader, frame
from ._shared import load_shared
from ._threads import several_threads
from ._user_code import dumps_back, loads

__all__ = ["READY", "OfPayload", "main", "own_file"]

READY = b"ready"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
# A process without work for so long ends; the pool starts another when there is work again.
_IDLE_SECONDS = 300.0


@dataclass(frozen=True)
class OfPayload:
    """Stands for the payload in the arguments of a job, or for a field of it.

    Parameters
    ----------
    field : str
        Empty for the whole.
    """

    field: str = ""


def own_file(path):
    """Return the payload of a search in a worker, which loads it once."""
    if path not in _loaded:
        _loaded.clear()
        _loaded[path] = load_shared(path)
    return _loaded[path]


_loaded = {}


def _follow_parent(parent):
    """End this process when its parent ends, even while it hangs in compiled code (Linux)."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # What a candidate starts stays below this process, whose end then ends it.
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)

    def watch():
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    if sys.platform != "win32":
        threading.Thread(target=watch, daemon=True).start()


def _reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def _peak_bytes():
    try:
        with open("/proc/self/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _call(job):
    """Return (status, value, error) of a job."""
    try:
        # The caller may import from more places than when this process was started.
        sys.path.extend(path for path in job["paths"] if path not in sys.path)
        sys.argv[:] = job["arguments"]
        if job["folder"]:
            with contextlib.suppress(OSError):
                os.chdir(job["folder"])
        function, args = loads(job["call"])
        if job["payload"]:
            payload = own_file(job["payload"])
            args = [_filled(payload, argument) for argument in args]
    except MemoryError:
        return "memory", None, traceback.format_exc()
    except Exception:
        return "unloadable", None, traceback.format_exc()
    try:
        with several_threads(job["n_threads"]):
            return "ok", function(*args), ""
    except MemoryError:
        return "memory", None, traceback.format_exc()
    except BaseException:
        return "crashed", None, traceback.format_exc()
    finally:
        if job["n_threads"] is not None:
            # Also what was loaded meanwhile.
            ThreadpoolController().limit(limits=1)


def _filled(payload, argument):
    if not isinstance(argument, OfPayload):
        return argument
    return getattr(payload, argument.field) if argument.field else payload


def _answer(job):
    _reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    status, value, error = _call(job)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    try:
        body = dumps_back(value)
    except Exception:
        status, body = "crashed", dumps_back(None)
        error = f"The result cannot be pickled.\n{traceback.format_exc()}"
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    return pickle.dumps((status, body, error, wall, cpu, _peak_bytes()))


def _messages(channel):
    """Yield messages until the channel closes, or there was none for a long time."""
    reader = MessageReader()
    while select.select([channel], [], [], _IDLE_SECONDS)[0]:
        part = channel.recv(2**20)
        if not part:
            return
        yield from reader.feed(part)


def main(channel):
    """Serve jobs until the channel closes; then end the process.

    Parameters
    ----------
    channel : socket
        Of its own, so that whatever the user's code prints goes where it should.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "register_at_fork"):
        # A child that outlives this process would hold it.
        os.register_at_fork(after_in_child=channel.close)
    messages = map(pickle.loads, _messages(channel))
    try:
        settings = next(messages, None)
        if settings is not None:
            _follow_parent(settings["parent"])
            if settings["niceness"] and hasattr(os, "nice"):
                os.nice(settings["niceness"])
            for module in settings["preload"]:
                with contextlib.suppress(Exception):
                    importlib.import_module(module)
            channel.sendall(frame(READY))
        for job in messages:
            if job is None:
                _loaded.clear()
            else:
                channel.sendall(frame(_answer(job)))
            job = None
    except OSError:
        # The pool has gone.
        pass
    # Threads that user code left behind must not keep the process alive.
    os._exit(0)
