"""A small knowledge base of invented measurements."""

import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy

from sk_metalearn.knowledge import Evaluation, KnowledgeBase, Source, Task, task_id
from sk_metalearn.spaces import load_pool

METRICS = {
    "classification": ("accuracy", "f1_macro", "neg_log_loss"),
    "regression": ("r2", "neg_mean_absolute_error", "spearman"),
}


def make_parts(n_tasks=6, n_configurations=8, kinds=("classification", "regression"), seed=0):
    """Invent tasks, configurations, evaluations and meta-features; the same for the same seed."""
    rng = np.random.default_rng(seed)
    tasks, evaluations, metafeatures = [], [], {}
    pools = {kind: load_pool(kind)[:n_configurations] for kind in kinds}
    for kind in kinds:
        for i in range(n_tasks):
            task = Task(
                task_id("invented", seed, kind, i),
                f"{kind} set {seed} {i}",
                kind,
                f"{kind} family {seed} {i // 2}",
                n_rows=100 * (seed + 1) + 7 * i + (kind == "regression"),
                n_features=4 + i % 3,
                n_classes=2 if kind == "classification" else 0,
                openml_id=100_000 * (seed + 1) + 1000 * (kind == "regression") + i,
                source="invented",
            )
            tasks.append(task)
            metafeatures[task.id] = {
                "log_n_rows": float(np.log(task.n_rows)),
                "probe_one_nn": float(rng.uniform()),
                "fraction_missing": float("nan"),
            }
            for number, configuration in enumerate(pools[kind]):
                ok = number == 0 or rng.uniform() > 0.2
                metrics = {}
                for metric in METRICS[kind] if ok else ():
                    values = rng.uniform(0.5, 1.0, 3)
                    metrics[metric] = (values - 1 if metric.startswith("neg_") else values).tolist()
                evaluations.append(
                    Evaluation(
                        task.id,
                        configuration.id,
                        "ok" if ok else "timeout",
                        metrics,
                        fit_seconds=rng.uniform(0.01, 1, 3).tolist(),
                        predict_seconds=(0.001, 0.001, 0.001),
                        outer={name: (values[0],) for name, values in metrics.items()},
                        source="invented",
                        machine="machine A",
                    )
                )
    return tasks, pools, evaluations, metafeatures


@pytest.fixture(scope="session")
def parts():
    """Give `make_parts`."""
    return make_parts


@pytest.fixture
def base():
    """Give a knowledge base of six tasks a kind."""
    return KnowledgeBase.from_evaluations(
        *make_parts(), sources=[Source("invented", "BSD-3-Clause")], provenance={"versions": {}}
    )


def _postgres_programs():
    folders = [Path(path).parent for path in [shutil.which("initdb")] if path]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    pytest.skip("no PostgreSQL server (initdb, postgres) is installed")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """Start a PostgreSQL server in a folder of its own; give the URL without a database."""
    programs = _postgres_programs()
    folder = tmp_path_factory.mktemp("postgres")
    options = {"cwd": folder, "env": {**os.environ, "HOME": str(folder)}}
    if hasattr(os, "getuid") and os.getuid() == 0:
        # The server refuses to run as root.
        import pwd

        names = {own.pw_name: own for own in pwd.getpwall()}
        user = names.get("postgres") or names.get("nobody")
        assert user is not None, "PostgreSQL does not run as root; there is no other user"
        options |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        for parent in [folder, *folder.parents][:4]:
            os.chmod(parent, 0o755)
        os.chown(folder, user.pw_uid, user.pw_gid)
    made = subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", "test", "--auth=trust", "--no-sync"],
        capture_output=True,
        text=True,
        **options,
    )
    assert not made.returncode, f"initdb failed: {made.stderr.strip()[-300:]}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = ["-c", "fsync=off", "-c", f"unix_socket_directories={folder}"]
    server = subprocess.Popen(
        [
            programs / "postgres",
            "-D",
            folder / "data",
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            *settings,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **options,
    )
    url = f"postgresql://test@127.0.0.1:{port}"
    admin = sqlalchemy.create_engine(
        url.replace("postgresql", "postgresql+psycopg") + "/postgres", isolation_level="AUTOCOMMIT"
    )
    for _ in range(100):
        try:
            admin.connect().close()
            break
        except sqlalchemy.exc.OperationalError:
            assert server.poll() is None, "the PostgreSQL server ended"
            time.sleep(0.1)
    yield url, admin
    admin.dispose()
    server.send_signal(signal.SIGINT)
    server.wait(30)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """Give the URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'folder' / 'own.db').as_posix()}"
    server, admin = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    return f"{server}/{name}"
