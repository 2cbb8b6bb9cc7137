"""Rows of values as aligned text and as an HTML table."""

import html
from numbers import Integral, Real

import numpy as np

from ..knowledge import printable

__all__ = ["as_html", "as_text", "cut", "show_number", "show_seconds", "show_value"]

# A cell of HTML of up to so many characters stays on one line.
_SHORT = 24


def show_number(value):
    """Write a score or another number in at most four decimals; a dash where there is none."""
    if value is None or not np.isfinite(value):
        return "-"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.5g}"


def show_seconds(seconds):
    """Write a time as a person would say it.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str

    Examples
    --------
    >>> from sk_metalearn.search._show import show_seconds
    >>> [show_seconds(value) for value in (0.0123, 2.5, 41.2, 180, 9000)]
    ['0.01 s', '2.5 s', '41 s', '3.0 min', '2.5 h']
    """
    if seconds is None or not np.isfinite(seconds):
        return "-"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.{int(seconds < 10)}f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def show_value(value):
    """Write a cell: numbers short, anything else as one line that steers no terminal."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        return printable(str(value))
    if isinstance(value, Integral):
        return f"{value:,}"
    return show_number(float(value))


def as_text(rows, width=None):
    """Align rows under the names of their columns.

    Parameters
    ----------
    rows : list of dict
        All with the same keys, which are the names of the columns.
    width : int or None, default=None
        Of a line; the last column is cut to it.

    Returns
    -------
    str
        Numbers stand at the right.
    """
    if not rows:
        return ""
    names = list(rows[0])
    right = [all(_is_number(row[name]) for row in rows) for name in names]
    cells = [names, *([show_value(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    lines = []
    for line in cells:
        padded = [
            cell.rjust(wide) if at_right else cell.ljust(wide)
            for cell, wide, at_right in zip(line, widths, right, strict=True)
        ]
        lines.append(cut("  ".join(padded).rstrip(), width))
    return "\n".join(lines)


def as_html(rows, caption=""):
    """Make a table of rows; whatever the cells hold is escaped.

    Parameters
    ----------
    rows : list of dict
        All with the same keys, which are the names of the columns.
    caption : str, default=""

    Returns
    -------
    str
    """
    if not rows:
        return ""
    names = list(rows[0])
    head = "".join(f'<th style="text-align:left">{html.escape(name)}</th>' for name in names)
    body = "".join(f"<tr>{''.join(_html_cell(row[name]) for name in names)}</tr>" for row in rows)
    above = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{above}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def cut(text, width):
    """Cut a line that is too long, and show that it was."""
    if width is None or len(text) <= width:
        return text
    return text[: max(0, width - 3)] + "..."


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _html_cell(value):
    text = show_value(value)
    side = "right" if _is_number(value) else "left"
    wraps = "" if len(text) > _SHORT else ";white-space:nowrap"
    return f'<td style="text-align:{side}{wraps}">{html.escape(text)}</td>'
