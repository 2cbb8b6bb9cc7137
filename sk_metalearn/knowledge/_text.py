"""Names that steer nothing: neither a terminal, nor a page, nor a message of one line."""

__all__ = ["printable"]


def printable(text):
    """Write out what a terminal would obey or not show.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Control characters, line ends and marks that turn the direction of writing as escapes.

    Examples
    --------
    >>> from sk_metalearn.knowledge._text import printable
    >>> print(printable("adult\\x1b[2J"))
    adult\\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
