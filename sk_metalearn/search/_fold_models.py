"""Models that candidates left when they were fitted on the folds: a model at any moment."""

import os
import shutil

from cloudpickle import loads

from ..evaluation import SearchFolder

__all__ = ["FoldModels"]

# A search may leave so many bytes of models beside its data, and this share of what is free.
_MOST_BYTES, _SHARE_OF_FREE = 4 * 2**30, 0.25


class FoldModels:
    """Keeps the models of the candidates that went well, the best ones where space is short.

    The files are written by the workers of the same search, into a folder that it made.

    Parameters
    ----------
    most_bytes : int or None, default=None
        Space that the models may take. None: 4 GiB, or a quarter of what is free where that is
        less.

    Attributes
    ----------
    folder : str
    """

    def __init__(self, most_bytes=None):
        self._place = SearchFolder()
        self.folder = self._place.path
        if most_bytes is None:
            free = shutil.disk_usage(self.folder).free
            most_bytes = min(_MOST_BYTES, int(_SHARE_OF_FREE * free))
        self.most_bytes = most_bytes
        self._kept = {}

    def close(self):
        """Remove the folder."""
        self._place.close()

    def _path(self, result):
        name = None if result is None else result.model
        path = os.path.join(self.folder, os.path.basename(name)) if name else None
        return path if path is not None and os.path.exists(path) else None

    def has(self, result):
        """Whether the model of a candidate on one fold is kept.

        Parameters
        ----------
        result : FoldResult

        Returns
        -------
        bool
        """
        return self._path(result) is not None

    def size(self, trial):
        """Bytes that the models of a candidate take.

        Parameters
        ----------
        trial : Trial

        Returns
        -------
        int
        """
        paths = [self._path(result) for result in trial.folds.values()]
        return sum(os.path.getsize(path) for path in paths if path is not None)

    def keep(self, trial):
        """Keep the models of a candidate, and forget the worst where there are too many.

        Parameters
        ----------
        trial : Trial
        """
        size = self.size(trial)
        if not size:
            return
        self._kept[trial.number] = trial.estimate, size, trial
        while len(self._kept) > 1 and sum(own[1] for own in self._kept.values()) > self.most_bytes:
            self.forget(min(self._kept.values(), key=lambda own: own[0])[2])

    def forget(self, trial):
        """Remove the models of a candidate.

        Parameters
        ----------
        trial : Trial
        """
        self._kept.pop(trial.number, None)
        for result in trial.folds.values():
            path = self._path(result)
            if path is not None:
                os.unlink(path)

    def load(self, result):
        """Load the model of a candidate that was fitted on one fold; None if it left none.

        Parameters
        ----------
        result : FoldResult or None

        Returns
        -------
        estimator or None
        """
        path = self._path(result)
        if path is None:
            return None
        with open(path, "rb") as file:
            return loads(file.read())
