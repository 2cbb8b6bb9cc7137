"""What a report of a fault should say of the machine and of what is installed."""

import importlib.metadata
import os
import platform

from threadpoolctl import threadpool_info

__all__ = ["show_versions"]

# What the package needs and what its extras bring, in the order of setup.cfg.
PACKAGES = (
    *("scikit-learn", "numpy", "scipy", "joblib", "cloudpickle", "threadpoolctl", "psutil"),
    *(
        "SQLAlchemy",
        "platformdirs",
        "pandas",
        "openml",
        "torch",
        "matplotlib",
        "dask",
        "ray",
        "skops",
        "psycopg",
    ),
    *("lightgbm", "xgboost", "catboost", "pyarrow", "polars"),
)


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def show_versions():
    """Print the versions that a report of a fault should hold.

    Nothing but the system, the interpreter, the packages and the thread pools that are loaded: no
    path and no name of yours.

    See Also
    --------
    sklearn.show_versions : The same for scikit-learn.

    Examples
    --------
    >>> import sk_metalearn
    >>> sk_metalearn.show_versions()  # doctest: +ELLIPSIS
    sk_metalearn: ...
    """
    from . import __version__

    print(f"sk_metalearn: {__version__}")
    print(f"python: {platform.python_version()} ({platform.python_implementation()})")
    print(f"system: {platform.platform()}, {os.cpu_count()} cores")
    for name in PACKAGES:
        print(f"{name}: {_version(name)}")
    for pool in threadpool_info():
        threads = f"{pool['num_threads']} threads"
        print(f"{pool['user_api']}: {pool['internal_api']} {pool['version'] or ''}, {threads}")
