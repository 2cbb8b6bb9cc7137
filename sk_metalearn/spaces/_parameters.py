"""Hyperparameters: ranges with a scale, a default and a place in the unit interval."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..exceptions import SpaceError

__all__ = ["Categorical", "Float", "Integer", "Parameter", "plain_value", "same_value", "shown"]

_UNSET = object()


def same_value(a, b):
    """Tell whether two parameter values are the same, with 1 different from True.

    Parameters
    ----------
    a, b : object
        Values of a hyperparameter; arrays and estimators are compared by identity or by ``==``
        where that gives a single truth value.

    Returns
    -------
    bool
    """
    if a is b:
        return True
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same_value(x, y) for x, y in zip(a, b, strict=True))
    try:
        return bool(a == b)
    except (TypeError, ValueError):
        return False


def plain_value(value):
    """Give a value for a message: numpy's numbers and text as Python's own.

    Parameters
    ----------
    value : object

    Returns
    -------
    object
    """
    if isinstance(value, np.generic):
        return value.item()
    if type(value) in (list, tuple):
        return type(value)(plain_value(item) for item in value)
    if isinstance(value, Mapping):
        return {plain_value(key): plain_value(item) for key, item in value.items()}
    return value


def shown(value, most=200):
    """Show a value in a message, however long it is and whatever it does when it is shown.

    Parameters
    ----------
    value : object
    most : int, default=200
        Characters.

    Returns
    -------
    str
    """
    try:
        text = repr(plain_value(value))
    except Exception as error:
        text = f"a {type(value).__name__} ({type(error).__name__})"
    text = text if len(text) <= most else text[: most - 3] + "..."
    return text if text.isprintable() else ascii(text)


class Parameter:
    """Base class of the hyperparameters; a subclass describes one kind of range.

    Attributes
    ----------
    width : int
        Number of columns that `encode` fills.
    """

    def contains(self, value):
        """Tell whether `value` lies in the range.

        Parameters
        ----------
        value : object
            Any object.
        """
        raise NotImplementedError

    def sample(self, rng):
        """Draw one value with the `numpy.random.Generator` `rng`.

        Parameters
        ----------
        rng : numpy.random.Generator
            Draws the value.
        """
        raise NotImplementedError

    def encode(self, value):
        """Give the value as `width` numbers in [0, 1], NaN where a column does not apply.

        Parameters
        ----------
        value : object
            One that the range contains.
        """
        raise NotImplementedError

    def neighbor(self, value, rng, scale=0.2):
        """Draw a value near `value`: a Gaussian step of `scale` on the unit interval.

        Parameters
        ----------
        value : object
            Where the step starts.
        rng : numpy.random.Generator
            Draws the step.
        scale : float, default=0.2
            Standard deviation of the step on the unit interval.
        """
        raise NotImplementedError

    def grid(self, n):
        """List at most `n` values spread over the range.

        Parameters
        ----------
        n : int
            The most values; a parameter with fewer gives all it has.
        """
        raise NotImplementedError


def _values(values, what):
    """A tuple of values; text and mappings are single values, not several."""
    try:
        if isinstance(values, str | bytes | Mapping):
            raise TypeError
        return tuple(values)
    except TypeError:
        raise SpaceError(f"{what} are a list of values; got {shown(values)}.") from None


def _is_finite(value):
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return False
    try:
        return not np.iscomplexobj(value) and math.isfinite(value)
    except OverflowError:
        return False


@dataclass(frozen=True)
class Categorical(Parameter):
    """A choice among unordered values.

    Parameters
    ----------
    choices : tuple
        The values; any Python objects.
    default : object, optional
        The first choice if not given.
    """

    choices: tuple
    default: Any = _UNSET

    def __post_init__(self):
        object.__setattr__(self, "choices", _values(self.choices, "The choices of Categorical"))
        if not self.choices:
            raise SpaceError("Categorical needs at least one choice; got none.")
        if self.default is _UNSET:
            object.__setattr__(self, "default", self.choices[0])

    @property
    def width(self):
        return 0 if len(self.choices) == 1 else len(self.choices)

    @property
    def is_numeric(self):
        return False

    def index(self, value):
        """Position of `value` among the choices.

        Parameters
        ----------
        value : object
            One of the choices.

        Returns
        -------
        int
            Position in `choices`.
        """
        for i, choice in enumerate(self.choices):
            if same_value(choice, value):
                return i
        raise SpaceError(
            f"{plain_value(value)!r} is not among the choices {plain_value(self.choices)!r}."
        )

    def contains(self, value):
        return any(same_value(choice, value) for choice in self.choices)

    def sample(self, rng):
        return self.choices[int(rng.integers(len(self.choices)))]

    def encode(self, value):
        if self.width == 0:
            return np.empty(0)
        return np.eye(len(self.choices))[self.index(value)]

    def neighbor(self, value, rng, scale=0.2):
        others = [choice for choice in self.choices if not same_value(choice, value)]
        return others[int(rng.integers(len(others)))] if others else value

    def grid(self, n):
        return list(self.choices[:n])


@dataclass(frozen=True)
class _Numeric(Parameter):
    low: float
    high: float
    log: bool = False
    default: Any = None
    specials: tuple = field(default=())

    def __post_init__(self):
        for end in (self.low, self.high):
            if not _is_finite(end):
                raise SpaceError(
                    f"{type(self).__name__} needs finite numbers as low and high; got {shown(end)}."
                )
        if not self.low < self.high:
            raise SpaceError(
                f"{type(self).__name__} needs low < high; got low={self.low}, high={self.high}."
            )
        if not isinstance(self.log, bool | np.bool_):
            raise SpaceError(f"log must be True or False; got {shown(self.log)}.")
        if self.log and self.low <= 0:
            raise SpaceError(f"A logarithmic range needs low > 0; got low={self.low}.")
        width = np.inf if self.log else float(self.high) - float(self.low)
        if (float(self.high) / float(self.low) if self.log else width) == np.inf:
            raise SpaceError(
                f"The range from low={self.low} to high={self.high} is too wide for numbers of 64 "
                "bits."
            )
        object.__setattr__(self, "specials", _values(self.specials, "specials"))
        if self.default is None and not any(special is None for special in self.specials):
            object.__setattr__(self, "default", self.from_unit(0.5))

    @property
    def width(self):
        return 1 + len(self.specials)

    @property
    def is_numeric(self):
        return True

    def is_special(self, value):
        """Tell whether `value` is one of the named values beside the range."""
        return any(same_value(special, value) for special in self.specials)

    def to_unit(self, value):
        """Place of a number in [0, 1] on the parameter's scale; outside the range it is cut off."""
        low, high, x = float(self.low), float(self.high), float(value)
        if self.log:
            low, high, x = np.log(low), np.log(high), np.log(max(x, 1e-300))
        return float(np.clip((x - low) / (high - low), 0.0, 1.0))

    def from_unit(self, u):
        """Number at the place `u` in [0, 1]."""
        low, high = float(self.low), float(self.high)
        u = float(np.clip(u, 0.0, 1.0))
        x = np.exp(np.log(low) + u * np.log(high / low)) if self.log else low + u * (high - low)
        return self._cast(np.clip(x, low, high))

    def _cast(self, x):
        return float(x)

    def contains(self, value):
        if self.is_special(value):
            return True
        number = _is_finite(value)
        slack = 1e-9  # what a round trip through a logarithm may cost
        low, high = self.low - slack * abs(self.low), self.high + slack * abs(self.high)
        return number and low <= value <= high

    def sample(self, rng):
        pick = int(rng.integers(2 * len(self.specials) + 2)) if self.specials else 0
        if pick > len(self.specials) + 1:
            return self.specials[pick - len(self.specials) - 2]
        return self.from_unit(rng.random())

    def encode(self, value):
        row = np.zeros(self.width)
        for i, special in enumerate(self.specials):
            if same_value(special, value):
                row[0], row[1 + i] = np.nan, 1.0
                return row
        row[0] = self.to_unit(value)
        return row

    def neighbor(self, value, rng, scale=0.2):
        if self.is_special(value):
            return self.sample(rng)
        if self.specials and rng.random() < 0.1:
            return self.specials[int(rng.integers(len(self.specials)))]
        unit = self.to_unit(value)
        for _ in range(8):
            step = unit + rng.normal(0.0, scale)
            new = self.from_unit(abs(step) if step < 1 else 2 - step)
            if new != value:
                return new
        return new

    def grid(self, n):
        numbers = max(1, n - len(self.specials))
        values = [self.from_unit((i + 0.5) / numbers) for i in range(numbers)]
        return (list(self.specials) + list(dict.fromkeys(values)))[:n]


@dataclass(frozen=True)
class Float(_Numeric):
    """A real number in [low, high].

    Parameters
    ----------
    low, high : float
        Ends of the range, both included.
    log : bool, default=False
        Whether the scale is logarithmic.
    default : float, optional
        The middle of the scale if not given.
    specials : tuple, default=()
        Named values beside the range, such as ``"scale"`` for the gamma of an SVM.
    """


@dataclass(frozen=True)
class Integer(_Numeric):
    """A whole number in [low, high].

    Parameters
    ----------
    low, high : int
        Ends of the range, both included.
    log : bool, default=False
        Whether the scale is logarithmic.
    default : int, optional
        The middle of the scale if not given.
    specials : tuple, default=()
        Named values beside the range, such as None for the depth of a tree.
    """

    def _cast(self, x):
        return int(round(x))

    def contains(self, value):
        return super().contains(value) and (self.is_special(value) or float(value).is_integer())
