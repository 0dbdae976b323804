#!/bin/sh
# mutation.sh PYTHON ENV: does a test fail for each small change to the rules that decide who is told what?
# PYTHON runs the project's tests, ENV holds mutmut.  All in a copy; the list of survivors stays in it.
# By the tables alone, which find the same each time; the laws (test_settle_laws) can only find more.
set -eu
python=$1 env=$2
at_least=85
copy=var/mutation

rm -rf "$copy"
mkdir -p "$copy"
# Not the caches beside the tests, which may hold whole machines.
tar cf - --exclude='.[a-z]*' --exclude=__pycache__ --exclude=screenshots \
    checks fedisec tests templates locale static manage.py pyproject.toml | tar xf - -C "$copy"
cat >>"$copy/pyproject.toml" <<'CONFIG'

[tool.mutmut]
source_paths = ["fedisec/scans/settle.py", "fedisec/scans/reach.py", "fedisec/scans/certificates.py"]
pytest_add_cli_args_test_selection = [
    "tests/scans/test_settle.py",
    "tests/scans/test_reach.py",
    "tests/scans/test_certificates.py",
]
also_copy = ["checks", "fedisec", "tests", "manage.py", "templates", "locale", "static"]
CONFIG

# The tests need the packages of the project, mutmut those of its own environment.
packages=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
mutmut=$(cd "$(dirname "$env")" && pwd)/$(basename "$env")/bin/mutmut
cd "$copy"
PYTHONPATH="$packages" "$mutmut" run >run.log 2>&1 || {
    tail -n 20 run.log >&2
    exit 1
}
PYTHONPATH="$packages" "$mutmut" results --all true >results.txt
killed=$(grep -c ': killed$\|: timeout$' results.txt || true)
all=$(grep -c ': ' results.txt || true)
score=$((killed * 1000 / all))
grep -v ': killed$\|: timeout$' results.txt || true
echo "$killed of $all changes were noticed by a test: $((score / 10)).$((score % 10)) % (at least $at_least %)"
[ "$score" -ge $((at_least * 10)) ]
