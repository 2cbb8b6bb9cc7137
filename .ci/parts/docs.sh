# The documentation, with warnings as errors. Its gallery runs every example.
source .ci/common.sh
environment docs python3 ".[docs,deep]"
sphinx-build -q -W --keep-going docs "$CI_WORK/html"
