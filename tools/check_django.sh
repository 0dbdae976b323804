#!/bin/sh
# check_django.sh PYTHON: migrations are complete, and the settings of a public installation have no warning.
set -eu
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
FEDISEC_DATA="$data" "$1" manage.py makemigrations --check --dry-run
FEDISEC_DATA="$data" FEDISEC_URL=https://fedisec.example "$1" manage.py check --deploy --fail-level WARNING
