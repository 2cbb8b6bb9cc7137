"""Models that candidates left when they were fitted on the first fold: a model at any moment."""

import os

from cloudpickle import loads

from ..evaluation import SearchFolder

__all__ = ["FoldModels"]

# A search may leave so many bytes of models beside its data.
_MOST_BYTES = 2**30


class FoldModels:
    """Keeps the models of the candidates that went well, the best ones where space is short.

    The files are written by the workers of the same search, into a folder that it made.

    Parameters
    ----------
    most_bytes : int, default=1 GiB
        Space that the models may take.

    Attributes
    ----------
    folder : str
    """

    def __init__(self, most_bytes=_MOST_BYTES):
        self._place = SearchFolder()
        self.folder = self._place.path
        self.most_bytes = most_bytes
        self._kept = {}

    def close(self):
        """Remove the folder."""
        self._place.close()

    def _path(self, trial):
        names = [result.model for result in trial.folds.values() if result.model]
        return os.path.join(self.folder, os.path.basename(names[0])) if names else None

    def keep(self, trial):
        """Keep the model of a candidate, and forget the worst where there are too many.

        Parameters
        ----------
        trial : Trial
        """
        path = self._path(trial)
        if path is None or not os.path.exists(path):
            return
        self._kept[trial.number] = trial.estimate, os.path.getsize(path), trial
        while len(self._kept) > 1 and sum(own[1] for own in self._kept.values()) > self.most_bytes:
            self.forget(min(self._kept.values(), key=lambda own: own[0])[2])

    def forget(self, trial):
        """Remove the model of a candidate.

        Parameters
        ----------
        trial : Trial
        """
        self._kept.pop(trial.number, None)
        path = self._path(trial)
        if path is not None and os.path.exists(path):
            os.unlink(path)

    def load(self, trial):
        """Load the model of a candidate; None if it left none.

        Parameters
        ----------
        trial : Trial

        Returns
        -------
        estimator or None
        """
        path = None if trial is None else self._path(trial)
        if path is None or not os.path.exists(path):
            return None
        with open(path, "rb") as file:
            return loads(file.read())
