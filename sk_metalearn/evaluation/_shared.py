"""One object for many processes of a machine: written once, its arrays mapped, not copied."""

import mmap
import os
import pickle
import struct

from ._folders import SearchFolder
from ._user_code import dumps, loads

__all__ = ["SharedObject", "load_shared", "pack"]

_HEAD = struct.Struct("<QQ")
_ALIGN = 64


def pack(value):
    """Yield the parts of a file from which `load_shared` loads a value.

    Parameters
    ----------
    value : object
        Anything that cloudpickle takes. Large arrays are written as they are.
    """
    buffers = []
    head = dumps(value, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    front = [_HEAD.pack(len(head), len(views)), *(_HEAD.pack(v.nbytes, 0) for v in views), head]
    place = sum(map(len, front))
    yield from front
    for view in views:
        gap = -place % _ALIGN
        yield b"\0" * gap
        yield view
        place += gap + view.nbytes


class SharedObject:
    """An object in a file that lives as long as this one.

    A process that loads the file sees its arrays read-only, all processes in the same memory.

    Parameters
    ----------
    parts : iterable of bytes
        Of `pack`.

    Attributes
    ----------
    path : str
        For `load_shared`.
    """

    def __init__(self, parts):
        self.folder = SearchFolder()
        self.path = os.path.join(self.folder.path, "shared")
        try:
            with open(self.path, "wb") as file:
                for part in parts:
                    file.write(part)
        except BaseException:
            self.close()
            raise

    def close(self):
        """Remove the file; processes that loaded it keep what they have."""
        self.folder.close()


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
