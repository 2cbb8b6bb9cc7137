"""What meta-training learned, and how it is stored: arrays and a header, never a pickle."""

import json
import os
import zipfile

import numpy as np

from ..exceptions import WeightsError

_FORMAT = "sk_metalearn.metalearners"
_VERSION = 1


class MetaWeights:
    """The learned weights of a meta-learner.

    Parameters
    ----------
    method : str
        The method that learned them, such as ``"maml"``.
    kind : {"classification", "regression"}
        Kind of the tasks.
    n_features : int
        Number of columns of the tasks.
    params : dict of str to ndarray
        Arrays of the networks.
    scaling : dict of str to ndarray
        ``x_mean``, ``x_scale``, ``y_mean``, ``y_scale``: how tasks were standardised.
    about : dict of str to str, default={}
        Where the weights come from: what they were learned on, and with what.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_metalearn.metalearners import MetaWeights
    >>> MetaWeights("maml", "regression", 1, {"W0": np.zeros((1, 1))}, {})
    MetaWeights(method='maml', kind='regression', n_features=1, n_numbers=1)
    """

    def __init__(self, method, kind, n_features, params, scaling, about=None):
        self.method = method
        self.kind = kind
        self.n_features = n_features
        self.params = params
        self.scaling = scaling
        self.about = dict(about or {})

    def __repr__(self):
        n_numbers = sum(value.size for value in self.params.values())
        return (
            f"MetaWeights(method={self.method!r}, kind={self.kind!r}, "
            f"n_features={self.n_features}, n_numbers={n_numbers})"
        )

    def save(self, path):
        """Write the weights to an ``.npz`` file.

        Parameters
        ----------
        path : str or path-like
            Where to write; the name must end in ``.npz``.
        """
        path = os.fspath(path)
        if not path.endswith(".npz"):
            raise ValueError(f"Weights are stored as .npz, got the name {path!r}.")
        header = {
            "format": _FORMAT,
            "version": _VERSION,
            "method": self.method,
            "kind": self.kind,
            "n_features": int(self.n_features),
            "about": self.about,
        }
        arrays = {f"params.{key}": value for key, value in self.params.items()}
        arrays |= {f"scaling.{key}": value for key, value in self.scaling.items()}
        np.savez_compressed(path, header=np.array(json.dumps(header)), **arrays)

    @classmethod
    def load(cls, path):
        """Read weights from an ``.npz`` file.

        Parameters
        ----------
        path : str or path-like
            File to read.

        Returns
        -------
        MetaWeights
            As they were saved.

        Raises
        ------
        WeightsError
            If the file is missing, damaged, not one of ours, or of a newer version.
        """
        path = os.fspath(path)
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
            header = json.loads(str(arrays.pop("header")))
            known, version = header["format"] == _FORMAT, header["version"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise WeightsError(
                f"The weights in {path!r} cannot be read ({error}). "
                "Meta-train again and save with `learner.meta_weights_.save(path)`."
            ) from error
        if not known or version > _VERSION:
            raise WeightsError(
                f"The file {path!r} holds format {header['format']!r} version {version}; this "
                f"version of sk_metalearn reads {_FORMAT!r} up to version {_VERSION}."
            )
        parts = {"params": {}, "scaling": {}}
        for key, value in arrays.items():
            part, _, name = key.partition(".")
            parts[part][name] = value
        names = ("method", "kind", "n_features")
        return cls(*(header[name] for name in names), **parts, about=header.get("about"))
