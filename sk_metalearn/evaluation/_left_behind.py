"""What the candidates of a killed search have started, and that still runs."""

import contextlib
import os

import psutil

__all__ = ["OWNER", "end_left_behind", "own_mark"]

# A variable that whatever a worker starts inherits.
OWNER = "SK_METALEARN_OWNER"


def own_mark():
    """Give the value of `OWNER` for the workers of this process.

    Returns
    -------
    str
        Its number, and the space in which it is one: a container has numbers of its own.
    """
    return f"{os.getpid()} {_space()}"


def end_left_behind():
    """End processes of this user that descend from workers of a process that is gone.

    A process that is ended by a signal it cannot catch takes its workers with it, but not what
    they have started; the next one does that.
    """
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError, ValueError):
            number, _, space = process.environ().get(OWNER, "").partition(" ")
            if number and space == _space() and _is_own(process) and _is_gone(number, process):
                process.kill()


def _space():
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _is_own(process):
    return not hasattr(os, "getuid") or process.uids().real == os.getuid()


def _is_gone(number, process):
    try:
        owner = psutil.Process(int(number))
        # Nothing is older than what started it: the number was given again.
        return owner.status() == psutil.STATUS_ZOMBIE or owner.create_time() > process.create_time()
    except psutil.NoSuchProcess:
        return True
