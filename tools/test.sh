#!/bin/sh
# test.sh PYTHON [ARGUMENTS of pytest]: the tests, each run in a network namespace with no way out: the lab's
# servers have their usual ports there, and no test can reach anything else.  Where no namespace may be made, the
# tests that need one say so and are skipped.  Without arguments, everything, in two runs beside each other (the
# tests that mostly wait, and the ones that mostly compute), each in a namespace and with a lab of its own.
set -u
python=$1
shift

in_namespace() {
    "$python" -m tests.lab.netns "$python" -m pytest "$@"
    code=$?
    [ "$code" -eq 77 ] || return "$code"
    echo "no network namespace here: the tests in the lab are left out"
    "$python" -m pytest "$@"
}

if [ $# -gt 0 ]; then
    in_namespace "$@"
    exit
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
in_namespace tests/e2e tests/running >"$log" 2>&1 &
waiting=$!
in_namespace tests --ignore=tests/e2e --ignore=tests/running --ignore=tests/hosts
computing=$?
wait "$waiting"
waited=$?
cat "$log"
[ "$computing" -eq 0 ] && [ "$waited" -eq 0 ]
