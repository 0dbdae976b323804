#!/bin/sh
# hostile.sh PYTHON [--runs N] [--whole] [--write] [--budgets] [NAME or PROTOCOL ...]: real scans of far sides that mean
# harm, each measured (tests/hostile).  --write puts the figures into docs/security.md; --budgets takes out each budget
# in turn instead, and shows what it had held back.  In a network namespace of its own, with no way out.
set -u
python=$1
shift
exec "$python" -m tests.lab.netns "$python" -m tests.hostile "$@"
