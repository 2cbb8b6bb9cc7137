"""Meta-features of the datasets of a folder, kept beside the shards."""

import json
from pathlib import Path

from ..exceptions import KnowledgeError
from ..metafeatures import MetaFeatureExtractor
from ._shards import write_whole
from ._tasks import list_tasks, prepare, read_table

__all__ = ["METAFEATURES", "describe", "read_metafeatures"]

METAFEATURES = "metafeatures.json"


def describe(data, output, groups="default"):
    """Measure the meta-features of the datasets of a folder.

    Parameters
    ----------
    data : path-like
        Folder of datasets, see `list_tasks`.
    output : path-like
        Folder of the shards; the meta-features go to `METAFEATURES` there, by task id.
    groups : str or list of str, default="default"
        Which meta-features; see `MetaFeatureExtractor`.

    Returns
    -------
    dict of str to dict of str to float
        Meta-features by task id, None where undefined.
    """
    extractor = MetaFeatureExtractor(groups=groups, random_state=0)
    described = {}
    for source in list_tasks(data):
        try:
            task = prepare(source)
        except KnowledgeError:
            continue
        X, y = read_table(source.path)
        values = extractor.extract(X, y, kind=source.kind)
        described[task.id] = {
            name: float(f"{value:.6g}") if value == value else None
            for name, value in values.items()
        }
    text = json.dumps(described, indent=0, sort_keys=True, allow_nan=False)
    write_whole(Path(output) / METAFEATURES, text.encode())
    return described


def read_metafeatures(folder):
    """Read what `describe` wrote; an empty dict where it has not been called."""
    path = Path(folder) / METAFEATURES
    if not path.exists():
        return {}
    described = json.loads(path.read_text(encoding="utf-8"))
    return {
        task: {name: float("nan") if value is None else value for name, value in values.items()}
        for task, values in described.items()
    }
