"""Messages between a worker process and the process that started it."""

import struct

__all__ = ["MAGIC", "MessageReader", "frame"]

MAGIC = b"skml"
_HEAD = struct.Struct("<4sQ")
# More than any model or table that a worker could hold; a length beyond it is none.
_LONGEST = 2**38


def frame(message):
    """Return the bytes to send for a message."""
    return _HEAD.pack(MAGIC, len(message)) + message


class MessageReader:
    """Puts messages together from the parts in which they arrive."""

    def __init__(self):
        self.parts, self.size, self.length = [], 0, None

    def feed(self, part):
        """Take in bytes and yield the messages they complete.

        Raises
        ------
        ValueError
            If the bytes are no message of ours.
        """
        self.parts.append(part)
        self.size += len(part)
        while self.size >= (_HEAD.size if self.length is None else self.length):
            data = b"".join(self.parts)
            if self.length is None:
                magic, self.length = _HEAD.unpack_from(data)
                if magic != MAGIC or self.length > _LONGEST:
                    raise ValueError(f"{data[: _HEAD.size]!r} begins no message.")
                rest = data[_HEAD.size :]
                self.parts, self.size = [rest], len(rest)
                continue
            message, rest = data[: self.length], data[self.length :]
            self.parts, self.size, self.length = [rest], len(rest), None
            yield message
