# What the parts have in common. Each can run alone.
set -euo pipefail

# environment NAME PYTHON REQUIREMENT...: make a virtual environment if it is not there, and enter it.
environment() {
    local folder="$CI_WORK/$1" python="$2"
    shift 2
    if [[ ! -e "$folder/complete" ]]; then
        "$python" -m venv "$folder"
        (($# == 0)) || "$folder/bin/pip" install --quiet "$@"
        touch "$folder/complete"
    fi
    export PATH="$folder/bin:$PATH"
}

# The search's contract: what a change of scikit-learn or Python would break.
contract() {
    python -c 'import sklearn, sys; print("Python", sys.version.split()[0], "scikit-learn", sklearn.__version__)'
    pytest -n auto tests/search tests/evaluation tests/test_common.py
}
