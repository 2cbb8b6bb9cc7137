"""Messages between processes: nothing but messages, whole."""

import os
import pickle
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sk_metalearn.evaluation import WorkerPool
from sk_metalearn.evaluation._channel import MAGIC, MessageReader, frame


@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(1, 20))
def test_messages_in_any_parts(messages, size):
    stream = b"".join(map(frame, messages))
    reader, found = MessageReader(), []
    for start in range(0, len(stream), size):
        found += reader.feed(stream[start : start + size])
    assert found == messages


@pytest.mark.parametrize(
    "stream", [b"hello, world", frame(b"whole") + b"Traceback (most", MAGIC + b"\xff" * 8]
)
def test_what_is_no_message(stream):
    with pytest.raises(ValueError, match="begins no message"):
        list(MessageReader().feed(stream))


def write_everywhere(content):
    """Write to all descriptors, as a library with a fault might."""
    # The channel keeps the number that it had in the process that started the worker.
    for descriptor in range(3, 4096):
        try:
            os.write(descriptor, content)
        except OSError:
            continue


@pytest.mark.parametrize(
    "content",
    [
        b"something to read\n" * 10,
        pytest.param(struct.pack("<Q", 2**62) * 4, marks=pytest.mark.slow),
    ],
    ids=["words", "a length"],
)
def test_a_worker_that_talks_on_the_channel_is_replaced(content):
    with WorkerPool(1, preload=()) as pool:
        pool.submit(write_everywhere, content)
        done = pool.next(timeout=100)
        assert done.status == "died" and "begins no message" in done.error
        pool.submit(divmod, 7, 2)
        assert pool.next(timeout=100).value == (3, 1)


def test_large_messages():
    with WorkerPool(1, preload=()) as pool:
        ballast = os.urandom(5 * 2**20)
        pool.submit(bytes.__add__, ballast, b"end")
        assert pool.next(timeout=100).value == ballast + b"end"


def test_an_answer_that_cannot_be_loaded_here():
    with WorkerPool(1, preload=()) as pool:
        pool.submit(Broken)
        done = pool.next(timeout=100)
        assert done.status == "crashed" and "cannot be unpickled" in done.error


class Broken:
    """Pickles, and does not unpickle."""

    def __reduce__(self):
        return pickle.loads, (b"broken",)
