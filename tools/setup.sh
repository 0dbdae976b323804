#!/bin/sh
# setup.sh PYTHON VENV REQUIREMENTS: a virtual environment from a hash-locked list; one clear line if it can't be.
set -eu
python=$1 venv=$2 requirements=$3

die() {
    echo "fedisec: $1" >&2
    exit 1
}

# Two starts at once do not install over each other: one waits for the other.  The lock is this file itself.
exec 9<"$0"
if command -v flock >/dev/null 2>&1; then flock 9; fi

# No whole pip: it was never finished, or the system's Python has become another one since.
if ! "$venv/bin/python" -c 'import pip._internal.cli.main' 2>/dev/null; then
    command -v "$python" >/dev/null 2>&1 || die "$python is missing: apt install python3 python3-venv (or set PYTHON)"
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
        die "$python does not run: is it a Python? (set PYTHON to another)"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "Python $version is too old: 3.11 or newer is needed (set PYTHON to one, for example PYTHON=python3.12)"
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        die "Python $version has no venv module: apt install python3-venv"
    rm -rf "$venv"
fi
echo "fedisec: installing the packages of $requirements into $venv"
if [ ! -e "$venv" ]; then
    # Not `-m venv`, whose answer to Ctrl-C is a traceback.
    "$python" -c 'import signal, sys, venv
signal.signal(signal.SIGINT, signal.SIG_DFL)
venv.create(sys.argv[1], symlinks=True, with_pip=True)' "$venv" ||
        die "could not make the environment in $venv (see above)"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements" ||
    die "could not install the packages of $requirements (see above; is the package index reachable?)"
