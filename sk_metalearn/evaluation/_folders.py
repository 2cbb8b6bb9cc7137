"""Folders for the data of a search in the temp folder, which do not outlive the search."""

import os
import shutil
import tempfile
import time
import weakref

try:
    import fcntl
except ImportError:  # Windows, where nobody can remove a file that is open
    fcntl = None

__all__ = ["SearchFolder", "remove_orphans"]

_PREFIX = "sk_metalearn-search-"
_LOCK = "in-use"
# A younger folder may not have its lock yet.
_LEAST_AGE = 5.0


class SearchFolder:
    """A folder that only this user can enter; it goes with this object.

    Where the process is killed, a later start of a search on this machine removes it.

    Attributes
    ----------
    path : str

    Raises
    ------
    OSError
        If there is no temp folder, or no room in it.
    """

    def __init__(self):
        remove_orphans()
        self.path = tempfile.mkdtemp(prefix=_PREFIX)
        # The lock goes with the process, however that ends.
        lock = None
        try:
            lock = open(os.path.join(self.path, _LOCK), "wb")  # noqa: SIM115
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            _remove(os.getpid(), self.path, lock)
            raise
        self._close = weakref.finalize(self, _remove, os.getpid(), self.path, lock)

    def close(self):
        """Remove the folder and all in it."""
        self._close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def _remove(owner, path, lock):
    if lock is not None:
        lock.close()
    # A forked child has a copy of the object, not the folder.
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)


def _in_use(path):
    lock = os.path.join(path, _LOCK)
    if time.time() - os.stat(path).st_mtime < _LEAST_AGE:
        return True
    if not os.path.exists(lock):
        return False
    if fcntl is None:
        try:
            os.remove(lock)
        except OSError:
            return True
        return False
    with open(lock, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def remove_orphans():
    """Remove the folders of searches whose process is gone."""
    try:
        with os.scandir(tempfile.gettempdir()) as entries:
            found = [e.path for e in entries if e.name.startswith(_PREFIX) and e.is_dir()]
    except OSError:
        return
    for path in found:
        try:
            if not _in_use(path):
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            # Somebody else's, or removed a moment ago.
            continue
