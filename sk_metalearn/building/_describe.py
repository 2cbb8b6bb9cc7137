"""Meta-features of the datasets of a folder, kept beside the shards."""

import json
import sys
from pathlib import Path

from ..exceptions import KnowledgeError
from ..metafeatures import MetaFeatureExtractor
from ..spaces import KINDS
from ._shards import write_whole
from ._tasks import list_tasks, prepare, read_table

__all__ = ["METAFEATURES", "describe", "read_metafeatures"]

METAFEATURES = "metafeatures.json"


def describe(data, output, groups="default"):
    """Measure the meta-features of the datasets of a folder.

    May be stopped and called again: what is written is kept, also of datasets no longer in the
    folder. Remove the file to measure everything anew.

    Parameters
    ----------
    data : path-like
        Folder of datasets, see `list_tasks`. Rows without a target are left out, as in `prepare`.
    output : path-like
        Folder of the shards, made if it does not exist; the meta-features go to `METAFEATURES`
        there, by task id.
    groups : str or list of str, default="default"
        Which meta-features; see `MetaFeatureExtractor`.

    Returns
    -------
    dict of str to dict of str to float
        Meta-features by task id, None where undefined.
    """
    extractor = MetaFeatureExtractor(groups=groups, random_state=0)
    names = {kind: set(extractor.feature_names(kind)) for kind in KINDS}
    sources, path = list_tasks(data), Path(output) / METAFEATURES
    path.parent.mkdir(parents=True, exist_ok=True)
    described = _read(path)
    for source in sources:
        try:
            task = prepare(source)
            if names[source.kind] <= set(described.get(task.id, ())):
                continue
            X, y = read_table(source.path)
            known = y.notna().to_numpy()
            values = extractor.extract(X[known], y[known], kind=source.kind)
        except (KnowledgeError, TypeError, ValueError) as error:
            print(f"{source.name} left out: {error}", file=sys.stderr)
            continue
        described[task.id] = {
            name: float(f"{value:.6g}") if value == value else None
            for name, value in values.items()
        }
        text = json.dumps(described, indent=0, sort_keys=True, allow_nan=False)
        write_whole(path, text.encode())
    return described


def _read(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def read_metafeatures(folder):
    """Read what `describe` wrote; an empty dict where it has not been called."""
    return {
        task: {name: float("nan") if value is None else value for name, value in values.items()}
        for task, values in _read(Path(folder) / METAFEATURES).items()
    }
