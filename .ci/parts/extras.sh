# What needs extras or a PostgreSQL server, which the tests start themselves; and the coverage.
source .ci/common.sh
if [[ $(id -u) == 0 ]] && command -v apt-get > /dev/null && ! ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1; then
    { apt-get update -q && apt-get install -q -y --no-install-recommends postgresql; } > /dev/null \
        || echo "no PostgreSQL server could be installed"
fi
environment extras python3 ".[test,openml,deep,dask,ray,boosting,postgres]" pytest-cov
tests="tests/building tests/evaluation/test_cluster.py tests/evaluation/test_executors.py
    tests/knowledge tests/metalearners tests/search/test_parallel.py tests/spaces
    tests/strategies tests/test_cli.py tests/test_docstrings.py"
pytest -n auto -rs --cov=sk_metalearn --cov-report=term:skip-covered $tests | tee "$CI_WORK/extras.log"
# Nothing may be left out here because something is not installed.
if grep -E '^SKIPPED.*(could not import|not installed|is installed|needs PyTorch)' "$CI_WORK/extras.log"; then
    echo "tests that this part is for were skipped"
    exit 1
fi
