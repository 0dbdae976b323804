#!/bin/sh
# test.sh PYTHON [ARGUMENTS of pytest]: the tests, each run in a network namespace with no way out: the lab's
# servers have their usual ports there, and no test can reach anything else.  Where no namespace may be made, the
# tests that need one say so and are skipped.  Without arguments, everything: browsers, the look from inside and the
# rest beside each other, then processes, each in a namespace and with a lab of its own.  With FEDISEC_WIDE=all and no
# arguments, what `make test` leaves out because it takes long: the pages in every look beside the rest of it.
set -u
python=$1
shift

in_namespace() {
    "$python" -m tests.lab.netns "$python" -m pytest "$@"
    ended=$? # a name of its own: what failed before must stay failed
    [ "$ended" -eq 77 ] || return "$ended"
    echo "no network namespace here: the tests in the lab are left out"
    "$python" -m pytest "$@"
}

if [ $# -gt 0 ]; then
    in_namespace "$@"
    exit
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
if [ "${FEDISEC_WIDE:-}" = all ]; then
    in_namespace tests/e2e/test_pages_in_browser.py >"$logs/browsers" 2>&1 &
    browsers=$!
    in_namespace tests/checks/faults tests/running/test_postgres.py tests/running/test_chaos.py tests/secrets \
        tests/hostile tests/targets
    code=$?
    wait "$browsers" || code=1
    cat "$logs/browsers"
    exit "$code"
fi
in_namespace tests/e2e >"$logs/browsers" 2>&1 &
browsers=$!
in_namespace tests/checks/inside tests/enrolment >"$logs/inside" 2>&1 &
inside=$!
in_namespace tests --ignore=tests/e2e --ignore=tests/running --ignore=tests/faults --ignore=tests/hosts --ignore=tests/checks/inside \
    --ignore=tests/enrolment
code=$?
wait "$inside" || code=1
wait "$browsers" || code=1
cat "$logs/inside" "$logs/browsers"
# Alone: processes that are started, killed and waited for take their time where the processor is somebody else's.
in_namespace tests/running tests/faults --ignore=tests/running/test_postgres.py || code=1
exit "$code"
