#!/bin/sh
# setup.sh PYTHON VENV REQUIREMENTS: a virtual environment from a hash-locked list; one clear line if it can't be.
set -eu
python=$1 venv=$2 requirements=$3

die() {
    echo "fedisec: $1" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 || die "$python is missing: apt install python3 python3-venv (or set PYTHON)"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "$("$python" --version 2>&1) is too old: Python 3.11 or newer is needed (set PYTHON)"
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        die "the venv module is missing: apt install python3-venv"
    rm -rf "$venv"
    "$python" -m venv "$venv" || die "could not make the environment in $venv (see above)"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements" ||
    die "could not install the packages of $requirements (see above; is the package index reachable?)"
