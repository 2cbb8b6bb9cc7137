"""Datasets that scikit-learn ships: never part of bundled knowledge.

Examples and tests on them stay honest only if the knowledge never saw them. A dataset is told by
OpenML id, by name and by shape, since copies travel under other ids and names.
"""

from ._families import normalize_name

__all__ = ["EXCLUDED", "excluded_tasks", "exclusion"]

#: OpenML data ids, names (normalised) and shapes (rows, columns, classes) per dataset.
EXCLUDED = {
    "iris": {
        "ids": (
            61,
            969,
            1413,
            41510,
            41511,
            41567,
            41568,
            41582,
            41583,
            41584,
            41950,
            41996,
            41997,
        ),
        "names": ("iris", "myiris", "iris test upload", "iris plants", "fisher iris"),
        "shapes": ((150, 4, 3), (150, 4, 2)),
    },
    "wine": {
        "ids": (187, 973),
        "names": ("wine", "wine recognition", "wine cultivars", "wine recognition data"),
        "shapes": ((178, 13, 3), (178, 13, 2)),
    },
    "breast_cancer": {
        "ids": (1510,),
        "names": (
            "wdbc",
            "breast cancer wisconsin diagnostic",
            "breast cancer diagnostic",
            "wisconsin diagnostic breast cancer",
        ),
        "shapes": ((569, 30, 2), (569, 31, 2), (569, 30, 0)),
    },
    "digits": {
        "ids": (28, 980),
        "names": ("optdigits", "optical recognition of handwritten digits", "sklearn digits"),
        "shapes": (
            *((rows, 64, classes) for rows in (5620, 3823, 1797) for classes in (10, 2)),
            *((rows, 62, 10) for rows in (5620, 3823, 1797)),
        ),
    },
    "california_housing": {
        "ids": (537, 823, 43939, 44025, 44090, 44138, 44977, 45028),
        "names": ("california housing", "cal housing", "houses", "california", "calhousing"),
        "shapes": (
            *(
                (rows, columns, classes)
                for rows in (20640, 20634, 20433)
                for columns in (8, 9)
                for classes in (0, 2)
            ),
        ),
    },
    "diabetes": {
        "ids": (41514, 41515, 41516, 41517, 41518, 41519, 44223),
        "names": ("diabetes scikit learn", "sklearn diabetes", "efron diabetes", "diabetes lars"),
        "shapes": ((442, 10, 0), (442, 10, 2)),
    },
}
# Names that also belong to other datasets: they count only with the kind of these.
_KINDS = {("diabetes", "regression"): "diabetes", ("digits", "classification"): "digits"}
_KINDS[("breast cancer", "regression")] = "breast_cancer"


def exclusion(name="", openml_id=None, shape=None, kind=""):
    """Tell which of scikit-learn's datasets this is.

    Parameters
    ----------
    name : str, default=""
    openml_id : int, optional
        Data id.
    shape : tuple of int, optional
        Rows, columns (without the target) and classes (0 for regression).
    kind : str, default=""
        ``"classification"`` or ``"regression"``; needed for names such as "diabetes".

    Returns
    -------
    str
        Name of the dataset, empty if it is none of them.
    """
    normal = normalize_name(name) if name else ""
    for dataset, marks in EXCLUDED.items():
        if openml_id is not None and int(openml_id) in marks["ids"]:
            return dataset
        if normal in marks["names"]:
            return dataset
        if shape is not None and tuple(map(int, shape)) in marks["shapes"]:
            return dataset
    return _KINDS.get((normal, kind), "")


def excluded_tasks(tasks):
    """List the tasks that are copies of scikit-learn's own datasets.

    A user's own base may hold them; knowledge that is shipped or judged must not.

    Parameters
    ----------
    tasks : iterable of Task
        Those to look through.

    Returns
    -------
    list of (Task, str)
        Each with the name of the dataset it copies.
    """
    found = []
    for task in tasks:
        shape = (task.n_rows, task.n_features, task.n_classes)
        name = exclusion(task.name, task.openml_id, shape, task.kind)
        if name:
            found.append((task, name))
    return found
