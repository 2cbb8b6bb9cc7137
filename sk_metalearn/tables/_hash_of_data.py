"""One identity of equal data, however they lie in memory."""

import hashlib
from collections.abc import Mapping

import numpy as np
from joblib import hash as joblib_hash
from scipy import sparse

from ._storage import view_of
from ._target_column import target_values
from ._values import label

__all__ = ["hash_of_data"]

_CHUNK = 1_000_000


def hash_of_data(X, y=None, classes=None):
    """Hash of data by content.

    The order of rows and columns in memory, views, blocks of a frame, its index, read-only and
    memory-mapped data make no difference, nor does which library stores a frame: names and values
    are the data.

    Parameters
    ----------
    X : object
        Table, array, or anything else, such as a dict of arrays.
    y : object, default=None
        A target. Classes are known by their text, whatever holds them: text, categories, objects.
    classes : array-like of shape (n_classes,), default=None
        What the values of y stand for, lowest first, where these are codes.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=16)
    _add(digest, X)
    _add_target(digest, y, classes)
    return digest.hexdigest()


def _add_target(digest, y, classes):
    try:
        values = None if y is None or sparse.issparse(y) else target_values(y)
    except (TypeError, ValueError):
        # Several targets, or none of ours.
        values = None
    if values is None or (classes is None and values.dtype.kind not in "OUSb"):
        return _add(digest, y if values is None else values)
    if classes is None:
        names, codes = np.unique(_typed_labels(values), return_inverse=True)
    else:
        names, codes = _typed_labels(np.asarray(classes)), np.unique(values, return_inverse=True)[1]
        order = np.argsort(names)
        names, codes = names[order], np.argsort(order)[codes]
    digest.update(f"classes {names.tolist()!r};".encode())
    _add_array(digest, codes)


def _typed_labels(values):
    """Labels of values, with a letter for their type: ndarray of str."""
    return np.array([f"{type(v).__name__[:1]}{label(v)}" for v in values.ravel().tolist()])


def _add(digest, data):
    if data is None:
        digest.update(b"none;")
    elif isinstance(data, Mapping) and not all(isinstance(key, str) for key in data):
        digest.update(joblib_hash(data).encode())
    elif isinstance(data, Mapping):
        for key in sorted(data):
            digest.update(f"key {key!r};".encode())
            _add(digest, data[key])
    elif sparse.issparse(data):
        _add_sparse(digest, data)
    elif isinstance(data, np.ndarray) and not data.dtype.names:
        _add_array(digest, data)
    elif hasattr(data, "iloc") or hasattr(data, "get_columns") or hasattr(data, "column_names"):
        _add_table(digest, data)
    elif hasattr(data, "to_numpy"):
        _add_array(digest, np.asarray(data.to_numpy()))
    elif isinstance(data, list | tuple):
        digest.update(f"list {len(data)};".encode())
        for part in data:
            _add(digest, part)
    else:
        digest.update(joblib_hash(data).encode())


def _add_table(digest, data):
    if hasattr(data, "iloc") and data.ndim == 1:
        return _add_array(digest, data.to_numpy())
    view = view_of(data)
    digest.update(f"table {view.shape};".encode())
    for j in range(view.shape[1]):
        column = view.column(j)
        digest.update(f"column {view.name(j)!r} {column.type};".encode())
        if column.type in ("category", "ordered"):
            levels = np.array([*column.levels, None], dtype=object)
            _add_array(digest, levels[column.values])
        else:
            _add_array(digest, column.values)


def _add_array(digest, values):
    """Numbers as float64 by rows, dates in microseconds, objects by their text."""
    digest.update(f"array {values.shape};".encode())
    kind = values.dtype.kind
    if kind == "O":
        flat = values.ravel().tolist()
        digest.update("\x1f".join(f"{type(v).__name__[:1]}{label(v)}" for v in flat).encode())
        return
    if kind in "USV":
        digest.update(values.astype(object).ravel().tolist().__repr__().encode())
        return
    if kind in "mM":
        digest.update(np.ascontiguousarray(values.astype(f"{kind}8[us]")).tobytes())
        return
    if kind in "iu" and values.size and np.abs(values.astype(float)).max() >= 2**53:
        digest.update(np.ascontiguousarray(values).tobytes())
        return
    # Piece by piece, so that no copy of a large table is made.
    rows = max(1, _CHUNK // max(1, values[:1].size)) if values.ndim else 1
    for start in range(0, len(values) if values.ndim else 0, rows):
        piece = np.array(values[start : start + rows], dtype=complex if kind == "c" else float)
        piece[np.isnan(piece)] = np.nan
        digest.update((piece + 0.0).tobytes("C"))
    if not values.ndim:
        digest.update(repr(values.item()).encode())


def _add_sparse(digest, data):
    data = data.tocsr(copy=True)
    data.sum_duplicates()
    data.eliminate_zeros()
    digest.update(f"sparse {data.shape};".encode())
    for part in (data.indptr.astype(np.int64), data.indices.astype(np.int64), data.data):
        _add_array(digest, part)
