"""The worker's side of `WorkerPool`: reads jobs from a pipe, runs them, writes the answers.

It is a program of its own, no child of multiprocessing, and never imports the caller's main
script again.
"""

import ctypes
import importlib
import os
import select
import signal
import struct
import sys
import threading
import time
import traceback

from cloudpickle import dumps, loads

__all__ = ["main", "read_message", "write_message"]

_LENGTH = struct.Struct("<Q")
_PR_SET_PDEATHSIG = 1
# A process without work for so long ends; the pool starts another when there is work again.
_IDLE_SECONDS = 300.0


def write_message(stream, message):
    """Write bytes with their length before them."""
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def read_message(stream):
    """Read one message of `write_message`; None at the end of the stream."""
    head = _read_exactly(stream, _LENGTH.size)
    if head is None:
        return None
    return _read_exactly(stream, _LENGTH.unpack(head)[0])


def _read_exactly(stream, n_bytes):
    data = stream.read(n_bytes)
    return data if data is not None and len(data) == n_bytes else None


def _die_with_parent(parent):
    """End this process when its parent ends, even while it hangs in compiled code (Linux)."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch():
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

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


def _run(message):
    _reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    status, value, error = "ok", None, ""
    try:
        paths, call = loads(message)
        # The caller may import from more places than when this process was started.
        sys.path.extend(path for path in paths if path not in sys.path)
        function, args = loads(call)
        value = function(*args)
    except MemoryError:
        status, error = "memory", traceback.format_exc()
    except Exception:
        status, error = "crashed", traceback.format_exc()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    try:
        return dumps((status, value, error, wall, cpu, _peak_bytes()))
    except Exception:
        error = f"The result cannot be pickled.\n{traceback.format_exc()}"
        return dumps(("crashed", None, error, wall, cpu, _peak_bytes()))


def _wait(jobs):
    """Wait for a job; False when there was none for so long that the process is not needed."""
    if sys.platform == "win32":
        return True
    return bool(select.select([jobs], [], [], _IDLE_SECONDS)[0])


def main():
    """Serve jobs until the pipe closes; then end the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What user code prints must not mix with the answers.
    jobs = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    start = read_message(jobs)
    if start is not None:
        settings = loads(start)
        _die_with_parent(settings["parent"])
        if settings["niceness"] and hasattr(os, "nice"):
            os.nice(settings["niceness"])
        for module in settings["preload"]:
            importlib.import_module(module)
        write_message(answers, b"ready")
        while _wait(jobs) and (message := read_message(jobs)) is not None:
            write_message(answers, _run(message))
    # Threads that user code left behind must not keep the process alive.
    sys.stderr.flush()
    os._exit(0)
