"""How much a file, a database or a record may claim, checked before memory is taken.

Far above what honest knowledge needs, and low enough that a small file cannot fill a machine.
"""

import json

from ..exceptions import KnowledgeError

__all__ = [
    "MAX_CELLS",
    "MAX_COUNT",
    "MAX_FOLDS",
    "MAX_HEADER",
    "MAX_LINE",
    "MAX_METAFEATURES",
    "MAX_METRICS",
    "MAX_NAME",
    "MAX_PARAMS",
    "MAX_TABLES",
    "MAX_TEXT",
    "MAX_VALUES",
    "read_json",
    "require_room",
]

MAX_NAME = 255  # characters of a name
MAX_TEXT = 4000  # characters of a note, a URL or one value of a setting
MAX_FOLDS = 100  # scores of one metric in one evaluation
MAX_METRICS = 100  # metrics of one evaluation or table
MAX_METAFEATURES = 5000  # meta-features of one task
MAX_PARAMS = 500  # settings of one configuration
MAX_TABLES = 50  # tables of one file
MAX_COUNT = 10**12  # rows, columns or classes of a dataset
MAX_LINE = 2**20  # bytes of one line or one row of a database
MAX_HEADER = 64 * 2**20  # bytes of a file's header
MAX_CELLS = 20_000_000  # tasks times configurations of an array as a whole
MAX_VALUES = 50_000_000  # the same, times folds


def require_room(shape, what):
    """Refuse an array too large to be held as a whole.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns, and folds if there are several.
    what : str
        What it holds, for the message.

    Raises
    ------
    KnowledgeError
        If it has more than `MAX_CELLS` cells or `MAX_VALUES` values.
    """
    cells, values = 1, 1
    for size in shape[:2]:
        cells *= int(size)
    for size in shape:
        values *= int(size)
    if cells > MAX_CELLS or values > MAX_VALUES:
        raise KnowledgeError(
            f"{what} has the shape {tuple(map(int, shape))}; as a whole at most {MAX_CELLS:,} "
            f"cells and {MAX_VALUES:,} values are held. Ask for fewer configurations: "
            "KnowledgeBase.table(kind, configurations=...)."
        )


def read_json(text):
    """Read JSON from a source that nobody vouches for.

    Parameters
    ----------
    text : str or bytes

    Returns
    -------
    object

    Raises
    ------
    KnowledgeError
        If it is no JSON, holds NaN or Infinity, or is nested too deep.
    """
    try:
        return _DECODER.decode(text if isinstance(text, str) else text.decode())
    except RecursionError:
        raise KnowledgeError("nested too deep") from None
    except ValueError as error:
        raise KnowledgeError(f"no JSON ({error})") from None


def _refuse(constant):
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
