"""One object for many processes of this machine: written once, its arrays mapped, not copied."""

import mmap
import os
import pickle
import shutil
import struct
import tempfile
import weakref

from cloudpickle import dumps, loads

__all__ = ["SharedObject", "load_shared"]

_HEAD = struct.Struct("<QQ")
_ALIGN = 64


class SharedObject:
    """A picklable object in a file that lives as long as this one.

    Parameters
    ----------
    value : object
        Anything that cloudpickle takes. Large arrays are written as they are; a process that
        loads the file sees them read-only, all processes in the same memory.

    Attributes
    ----------
    path : str
        For `load_shared`.
    """

    def __init__(self, value):
        buffers = []
        head = dumps(value, protocol=5, buffer_callback=buffers.append)
        self.folder = tempfile.mkdtemp(prefix="sk_metalearn-")
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.path = os.path.join(self.folder, "shared")
        views = [buffer.raw() for buffer in buffers]
        with open(self.path, "wb") as file:
            file.write(_HEAD.pack(len(head), len(views)))
            for view in views:
                file.write(_HEAD.pack(view.nbytes, 0))
            file.write(head)
            for view in views:
                file.write(b"\0" * (-file.tell() % _ALIGN))
                file.write(view)

    def close(self):
        """Remove the file; processes that loaded it keep what they have."""
        self._remove()


def load_shared(path):
    """Load what a `SharedObject` wrote.

    Parameters
    ----------
    path : str

    Returns
    -------
    object
    """
    with open(path, "rb") as file:
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    head_size, n_views = _HEAD.unpack_from(whole, 0)
    sizes = [_HEAD.unpack_from(whole, _HEAD.size * (1 + i))[0] for i in range(n_views)]
    place = _HEAD.size * (1 + n_views)
    head = whole[place : place + head_size]
    place += head_size
    buffers = []
    for size in sizes:
        place += -place % _ALIGN
        buffers.append(pickle.PickleBuffer(whole[place : place + size]))
        place += size
    return loads(head, buffers=buffers)
