"""What memory is free for this process and those that it starts."""

import os
from dataclasses import dataclass

import psutil

try:
    import resource
except ImportError:  # Windows, which has no such limit
    resource = None

__all__ = ["FreeMemory", "free_memory"]

_ROOT = "/sys/fs/cgroup"
# Files with the limit and the use of a group, and what in its statistics can be given back.
_SECOND = ("memory.max", "memory.current", "inactive_file ")
_FIRST = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ")


@dataclass(frozen=True)
class FreeMemory:
    """Bytes that are free.

    Parameters
    ----------
    together : int
        For all processes.
    each : int or None, default=None
        For each of them, where the system limits one; None: as much as for all.
    """

    together: int
    each: int | None = None


def free_memory(root=_ROOT, of_this_process="/proc/self/cgroup"):
    """Say what is free: of the machine, of a container, and by ``ulimit -v``.

    Parameters
    ----------
    root : str, default="/sys/fs/cgroup"
        Where the control groups of Linux are found.
    of_this_process : str, default="/proc/self/cgroup"
        The file that names those of this process.

    Returns
    -------
    FreeMemory
    """
    found = [psutil.virtual_memory().available]
    for folder, names in _groups(root, of_this_process):
        left = _left_in(folder, *names)
        found += [] if left is None else [left]
    each = None
    if resource is not None and hasattr(resource, "RLIMIT_AS"):
        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            # Address space: whatever is loaded or reserved counts, in a worker much the same.
            each = max(0, limit - psutil.Process().memory_info().vms)
    return FreeMemory(max(0, min(found)), each)


def _groups(root, of_this_process):
    """Yield the folders of the groups of this process, and the names of their files."""
    try:
        with open(of_this_process, encoding="utf-8") as file:
            lines = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        return
    for line in lines:
        if len(line) < 3:
            continue
        _, controllers, path = line
        if controllers and "memory" not in controllers.split(","):
            continue
        base, names = (os.path.join(root, "memory"), _FIRST) if controllers else (root, _SECOND)
        # A container sees its own group as the root; outside of one the groups above count too.
        parts = path.strip("/").split("/") if path.strip("/") else []
        for n in range(len(parts), -1, -1):
            yield os.path.join(base, *parts[:n]), names


def _left_in(folder, limit_name, used_name, given_back):
    """Bytes left in a group; None where it has no limit."""
    try:
        with open(os.path.join(folder, limit_name), encoding="utf-8") as file:
            limit = int(file.read())
        with open(os.path.join(folder, used_name), encoding="utf-8") as file:
            used = int(file.read())
    except (OSError, ValueError):
        return None
    try:
        with open(os.path.join(folder, "memory.stat"), encoding="utf-8") as file:
            lines = [line for line in file if line.startswith(given_back)]
        used -= int(lines[0].split()[1]) if lines else 0
    except (OSError, ValueError):
        pass
    return limit - used
