#!/bin/sh
# A real pipeline on a scheduler of its own: six cores, two GPUs, 32 GiB, whatever the machine has.
# Leaves nothing behind: no process, no file. Ends with 1 if a single file is missing or wrong.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/hsched-demo.XXXXXX")
export HSCHED_HOME="$work/state" HSCHED_NAME=demo
export PYTHON="${PYTHON:-python3}" PYTHONDONTWRITEBYTECODE=1

finish() {
    status=$?
    trap - EXIT
    trap '' INT TERM HUP
    hstop --force --grace 0 >/dev/null 2>&1 || :
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n== %s\n' "$1"; }

say 'hstart 6,2,32'
hstart 6,2,32

say 'a shell script that chains dep=$(hsubmit ...)'
"$here/pipeline.sh" "$work/script"

say 'a Makefile that does the same'
make -f "$here/Makefile" STEPS="$here/steps.py" OUT="$work/make"

say 'hjobs --all: who held which slots, and when'
hjobs --all --json | "$PYTHON" "$here/steps.py" report

say 'what the GPU steps saw'
hjobs --all --json | "$PYTHON" -c '
import json, sys
for job in json.load(sys.stdin):
    if job["name"].startswith("digest"):
        print(job["id"], job["name"], open(job["out"]).readline().strip())
'

say 'hstop'
hstop
