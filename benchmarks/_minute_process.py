"""One job of ``minute.py`` in a process of its own: its time is limited, its memory watched."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from _minute_fit import MARK
from _minute_systems import ENVIRONMENTS

HERE = Path(__file__).parent
#: Variables that would give some systems one thread, or have each start compile its imports anew.
UNWANTED = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
)


def run_job(job):
    """Run a job, give its row."""
    environment = {name: own for name, own in os.environ.items() if name not in UNWANTED}
    if job["checkout"]:
        python = sys.executable
        environment["PYTHONPATH"] = job["checkout"]
    else:
        folder = Path(job["environments"]) / ENVIRONMENTS[job["system"]]
        python = str(folder / "bin" / "python")
    row = {name: job[name] for name in ("dataset", "system", "budget", "jobs", "seed")}
    row |= {"options": job["options"], "load": round(psutil.getloadavg()[0], 2)}
    if job["checkout"]:
        row["version"] = _commit(job["checkout"])
    with tempfile.TemporaryDirectory(prefix="minute-", ignore_cleanup_errors=True) as scratch:
        # What a system remembers or leaves behind stays in here.
        environment |= {"TMPDIR": scratch, "SK_METALEARN_HOME": scratch}
        command = [python, str(HERE / "_minute_fit.py"), json.dumps(job)]
        limit = 3 * job["budget"] + 120
        row |= watch(command, environment, limit, scratch)
    return row


def watch(command, environment, limit, folder):
    """Run a command for at most `limit` seconds; give what it said and its peak memory.

    Memory is that of the process and all it started: what each has for itself, and once the largest
    part that is shared.
    """
    said = Path(folder) / "said.txt"
    started = time.perf_counter()
    with said.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        peak = Peak(process.pid)
        try:
            process.wait(limit)
            ended = None
        except subprocess.TimeoutExpired:
            ended = f"ended after {limit:.0f} seconds"
        finally:
            peak.stop()
    found = {"wall_seconds": time.perf_counter() - started, "peak_mb": peak.bytes / 2**20}
    text = said.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.startswith(MARK)]
    if lines:
        return found | json.loads(lines[-1][len(MARK) :])
    last = (text.strip().splitlines() or [""])[-1][:200]
    return found | {"error": ended or f"ended with code {process.returncode}: {last}"}


class Peak:
    """Watch the memory of a process and all it started, and end them together."""

    def __init__(self, pid):
        self.bytes = 0
        self._pid = pid
        self._known = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._over.wait(0.2):
            self.look()

    def look(self):
        """Count what is there now."""
        try:
            root = psutil.Process(self._pid)
            for process in (root, *root.children(recursive=True)):
                self._known[process.pid] = process
        except psutil.Error:
            return
        own, shared = 0, 0
        for process in self._known.values():
            try:
                memory = process.memory_info()
            except psutil.Error:
                continue
            # Only Linux tells what is shared.
            common = getattr(memory, "shared", 0)
            own += memory.rss - common
            shared = max(shared, common)
        self.bytes = max(self.bytes, own + shared)

    def stop(self):
        """End what is left of the processes."""
        self._over.set()
        self._thread.join()
        self.look()
        for process in self._known.values():
            # By number and start, so that nobody else's process is met.
            try:
                if process.is_running():
                    process.kill()
            except psutil.Error:
                pass
        psutil.wait_procs(self._known.values(), timeout=5)


def _commit(checkout):
    command = ["git", "-C", checkout, "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True)
    return found.stdout.strip() or None
