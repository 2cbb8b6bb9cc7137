"""What a display says of itself where it is printed."""

__all__ = ["Shown"]


class Shown:
    """Base of the displays: their ``repr`` tells what they show, and how to see it."""

    def __repr__(self):
        drawn = hasattr(self, "figure_")
        how = "drawn in .figure_" if drawn else "draw it with .plot()"
        return f"<{type(self).__name__} of {self._content()}; {how}>"

    def _content(self):
        raise NotImplementedError
