#!/bin/sh
# Real jobs on a scheduler of its own, and a picture of `hsched top` while they run: top.sh FILE.svg
set -eu
file=$(realpath -- "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/hsched-top.XXXXXX")
export HSCHED_HOME="$work/state" HSCHED_NAME=lab COLUMNS="${COLUMNS:-126}" LINES="${LINES:-22}"

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

cd "$work"
cat >train.py <<'.'
import sys
weights = bytearray(int(sys.argv[2]) << 20)  # MiB
print("epoch 1", flush=True)
while True:
    weights[0] = (weights[0] + 1) % 256
.
cat >evaluate.py <<'.'
import time
print("loss 0.31", flush=True)
time.sleep(1000)
.
hstart cores=12,gpus=2,mem=64G >/dev/null
hsubmit 4,1,16 --job-name resnet python3 train.py --memory 220 >/dev/null
hsubmit 2,1,12 --job-name baseline python3 train.py --memory 140 >/dev/null
hsubmit 2,0,4 --job-name evaluate python3 evaluate.py >/dev/null
hsubmit 1,0,1 'python3 -m http.server --bind 127.0.0.1 0' >/dev/null
hsubmit 4,1,16 --job-name resnet-2 --time 2h python3 train.py --memory 300 --width 2 >/dev/null
hsubmit 8,2,32 --job-name ensemble --dep afterok:1,2 python3 train.py --memory 500 --all >/dev/null
hsubmit 1 --job-name report --dep afterok:6 'python3 report.py | mail -s done me' >/dev/null
hsubmit 6 --array 1-4 'xz -9 --keep scan-$HSCHED_ARRAY_INDEX.raw' >/dev/null
hsubmit 2,0,8 --hold --job-name backup 'rsync -a results/ nas:/results/' >/dev/null
until [ "$(hjobs running --json | grep -c '"state": "running"')" -ge 4 ]; do :; done
hsched top --svg "$file"
