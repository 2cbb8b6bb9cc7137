# The documentation, with warnings as errors. Its gallery runs every example.
source .ci/common.sh
environment docs python3 ".[docs,deep]"
sphinx-build -q -W --keep-going docs "$CI_WORK/html"
# What a browser sees of it: nothing overflows, no link is broken, no error on the console.
command -v chromium > /dev/null || {
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
} > /dev/null
python docs/check_pages.py "$CI_WORK/html"
