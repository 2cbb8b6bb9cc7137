"""What the columns of a table are, and the plain columns that are made of them."""

from dataclasses import dataclass

from sklearn import __version__ as sklearn_version

from ._values import label

__all__ = ["ROLES", "Layout", "Output", "Plan"]

#: Storages of which scikit-learn finds no columns by their names.
_UNKNOWN = {"arrow", "records"}
if tuple(map(int, sklearn_version.split(".")[:2])) < (1, 9):
    _UNKNOWN.add("polars")

#: What a column can be.
ROLES = ("number", "category", "ordered", "date", "duration", "text", "ignore")


@dataclass(frozen=True)
class Plan:
    """What one column is and how it is read.

    Parameters
    ----------
    name : object
        Of the column in the data; its position where these have no names.
    type : str
        Its logical type, as of `Column`.
    role : {"number", "category", "ordered", "date", "duration", "text", "ignore"}
    why : str
        What decided it.
    plain : bool
        Whether scikit-learn reads the column as it is stored.
    levels : tuple of str
        The levels of an ordered category, lowest first.
    parts : tuple of str
        Which of weekday, month and hour are read from a date.
    mark : bool
        Whether a further column tells what could not be read as a number or a date.
    n_levels : int
        Different values of a category or text; 0 for any other.
    n_missing : int
        Rows without a value.
    said : bool
        Whether the user gave the role.
    """

    name: object
    type: str
    role: str
    why: str
    plain: bool = False
    levels: tuple = ()
    parts: tuple = ()
    mark: bool = False
    n_levels: int = 0
    n_missing: int = 0
    said: bool = False

    def outputs(self):
        """The plain columns made of this one: list of (part, kind); the part of the first is "".

        Returns
        -------
        list of (str, str)
            Part and kind of each plain column.
        """
        if self.role == "ignore":
            return []
        kind = self.role if self.role in ("category", "text") else "number"
        parts = [(part, "category" if part == "weekday" else "number") for part in self.parts]
        return [("", kind), *parts, *([("unread", "number")] if self.mark else [])]


@dataclass(frozen=True)
class Output:
    """A plain column that reading gives.

    Parameters
    ----------
    name : str
    position : int
        Of the column in the data that it is made of.
    part : str
        "" for the column itself, else "weekday", "month", "hour" or "unread".
    kind : {"number", "category", "text"}
        Numbers are float64 (dates: days since 2000; durations: days), the others text.
    """

    name: str
    position: int
    part: str
    kind: str


@dataclass(frozen=True)
class Layout:
    """The columns of a table and the roles they play.

    Parameters
    ----------
    plans : tuple of Plan
        One per column of the data.
    storage : str
        As of `View`.
    n_rows : int
        Rows of the table that the layout was told from.
    """

    plans: tuple
    storage: str
    n_rows: int

    @property
    def plain(self):
        """Whether scikit-learn reads every column that is used as it is stored.

        It reads no frame in which a name stands twice.
        """
        names = self.names or []
        return (
            self.storage not in _UNKNOWN
            and len({label(name) for name in names}) == len(names)
            and all(plan.plain for plan in self.plans if plan.role != "ignore")
        )

    @property
    def names(self):
        """Names of the columns, or None where the data have none."""
        return None if self.storage in ("array", "sparse") else [p.name for p in self.plans]

    def positions(self, *roles):
        """Give the positions of the columns of some roles.

        Parameters
        ----------
        *roles : str
            Which roles.

        Returns
        -------
        tuple of int
            In the order of the columns.
        """
        return tuple(i for i, plan in enumerate(self.plans) if plan.role in roles)

    def outputs(self):
        """The plain columns that reading gives.

        Returns
        -------
        list of Output
            Their names are text and differ from each other.
        """
        found, used = [], set()
        for position, plan in enumerate(self.plans):
            base = label(plan.name) if self.names is not None else f"x{plan.name}"
            for part, kind in plan.outputs():
                name = own = f"{base}_{part}" if part else base
                number = 1
                while own in used:
                    number += 1
                    own = f"{name}_{number}"
                used.add(own)
                found.append(Output(own, position, part, kind))
        return found

    def describe(self):
        """What was decided, a dict per column: column, role, why, levels, gaps.

        Returns
        -------
        list of dict
            In the order of the columns.
        """
        return [
            {
                "column": plan.name,
                "role": plan.role,
                "why": plan.why,
                "levels": plan.n_levels or None,
                "gaps": plan.n_missing,
            }
            for plan in self.plans
        ]
