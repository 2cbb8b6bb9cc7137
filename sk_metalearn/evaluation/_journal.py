"""What a search has done so far, so that it can go on where it was."""

from dataclasses import dataclass, replace

from ..exceptions import CheckpointError

__all__ = ["Journal", "StoredTrial", "check_fingerprint"]


@dataclass
class StoredTrial:
    """A candidate that a search began.

    Parameters
    ----------
    number : int
        Its place in the order of proposals.
    key : str
        Text that identifies the candidate.
    content : dict
        What the search needs to take it up again, in JSON types.
    """

    number: int
    key: str
    content: dict


class Journal:
    """Results of folds and the order of candidates, kept in memory.

    Attributes
    ----------
    folds : dict of (str, int) to FoldResult
    trials : dict of int to StoredTrial
    meta : dict of str to str
    splits : list of (ndarray, ndarray) or None
        None until the search has begun.
    """

    def __init__(self):
        self.folds, self.trials, self.meta, self.splits = {}, {}, {}, None

    def __repr__(self):
        return f"<{type(self).__name__}: {len(self.trials)} candidates, {len(self.folds)} folds>"

    def begin(self, meta, splits):
        """Note what the search is about; later calls keep the first notes.

        Parameters
        ----------
        meta : dict of str to str
            With a ``"seed"`` of decimal digits.
        splits : list of (ndarray, ndarray)
            Training and test rows of each fold.
        """
        if self.splits is None:
            self.meta, self.splits = {**self.meta, **meta}, splits
            self._write_head()

    def add_trial(self, trial):
        """Note a candidate that begins.

        Parameters
        ----------
        trial : StoredTrial
            The candidate, before any of its folds.
        """
        known = self.trials.get(trial.number)
        if known is None or known.key != trial.key:
            self.trials[trial.number] = trial
            self._write_trial(trial)

    def add_fold(self, key, fold, result):
        """Note the result of a fold.

        Parameters
        ----------
        key : str
            Key of the candidate.
        fold : int
            Position among the folds.
        result : FoldResult
            What the candidate gave on it.
        """
        if (key, fold) not in self.folds:
            self.folds[key, fold] = result
            self._write_fold(key, fold, result)

    def close(self):
        """Release the file; may be called again."""

    def in_memory(self):
        """Return a copy without a file, and without what ends with the search.

        Returns
        -------
        Journal
            With the same candidates and folds; it can be pickled.
        """
        copy = Journal()
        copy.folds = {
            key: replace(result, model="", stop=False, error=None)
            for key, result in self.folds.items()
        }
        copy.trials, copy.meta, copy.splits = dict(self.trials), dict(self.meta), self.splits
        return copy

    def _write_head(self):
        pass

    def _write_trial(self, trial):
        pass

    def _write_fold(self, key, fold, result):
        pass


def check_fingerprint(journal, fingerprint, what):
    """Raise CheckpointError if a journal was written by another search.

    Parameters
    ----------
    journal : Journal
    fingerprint : dict of str to str
        Data and settings of the search at hand.
    what : str
        What the message calls the journal.
    """
    other = [name for name, value in fingerprint.items() if journal.meta.get(name) != value]
    if other:
        raise CheckpointError(
            f"{what} belongs to another search: it differs in {', '.join(other)}. Continue with "
            "the same data and settings, or start again with another path."
        )
