source .ci/common.sh
environment lint python3 "ruff>=0.8"
ruff check .
ruff format --check .
