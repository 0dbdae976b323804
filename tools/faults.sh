#!/bin/sh
# faults.sh PYTHON [--markdown | --write] [ARGUMENTS of pytest]: every fault of tests/faults in real processes, and the
# table of what was expected and seen; --markdown prints it in that form, --write puts it into docs/reliability.md.
# Everything runs in namespaces of its own (network, mounts, processes), so nothing is left behind and the small disk
# that is filled is nobody else's.  What this machine does not allow stands in the table as left out, with the reason.
#
# Three runs beside each other, as most of it waits: the ten minutes of random kills, kills at each step with the faults
# of relays, and the rest.
set -u
python=$1
shift
form=
case "${1:-}" in --markdown | --write)
    form=$1
    shift
    ;;
esac

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1 && ! ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1; then
    echo "installing: libfaketime"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libfaketime; } \
        </dev/null >/dev/null 2>&1 || echo "could not install libfaketime: the fault with the clock is left out"
fi

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
FEDISEC_FAULTS=all
FEDISEC_FAULTS_TABLE=$logs/table
export FEDISEC_FAULTS FEDISEC_FAULTS_TABLE
: >"$FEDISEC_FAULTS_TABLE"

alone=
if unshare --mount --pid --fork --kill-child --mount-proc sh -c 'mount -t tmpfs probe /mnt' >/dev/null 2>&1; then
    alone="unshare --mount --pid --fork --kill-child --mount-proc"
    export FEDISEC_OWN_MOUNTS=1
fi

in_namespace() {
    # shellcheck disable=SC2086  # a command, or nothing
    $alone "$python" -m tests.lab.netns "$python" -m pytest "$@"
    code=$?
    [ "$code" -eq 77 ] || return "$code"
    echo "no network namespace here: what needs one is left out"
    # shellcheck disable=SC2086
    $alone "$python" -m pytest "$@"
}

began=$(date +%s)
code=0
if [ $# -gt 0 ]; then
    in_namespace "$@" || code=1
else
    in_namespace -q tests/faults/test_random.py >"$logs/kills" 2>&1 &
    kills=$!
    in_namespace -q tests/faults/test_kills.py tests/faults/test_relay.py tests/faults/test_broker.py >"$logs/steps" 2>&1 &
    steps=$!
    in_namespace -q tests/faults --ignore=tests/faults/test_random.py --ignore=tests/faults/test_kills.py \
        --ignore=tests/faults/test_relay.py --ignore=tests/faults/test_broker.py || code=1
    wait "$steps" || code=1
    wait "$kills" || code=1
    cat "$logs/steps" "$logs/kills"
fi
# shellcheck disable=SC2086  # an option, or nothing
"$python" -m tests.faults.table "$FEDISEC_FAULTS_TABLE" $form || code=1
echo "in $((($(date +%s) - began) / 60)) minutes"
exit "$code"
