#!/bin/sh
# Pack and check Python's standard library: each job says what it holds and whom it waits for.
# usage: pipeline.sh OUT
set -eu
out=$1
steps=$(cd "$(dirname "$0")" && pwd)/steps.py
python=${PYTHON:-python3}
mkdir -p "$out"

packed=
for k in 0 1 2 3 4 5; do
    dep=$(hsubmit --job-name "compile-$k" 1,0,2 "$python" "$steps" compile "$out" "$k")
    dep=$(hsubmit --job-name "pack-$k" --dep "afterok:$dep" 1,0,4 "$python" "$steps" pack "$out" "$k")
    packed=$packed${packed:+,}$dep
done

digested=
for k in 0 1; do
    dep=$(hsubmit --job-name "digest-$k" --dep "afterok:$packed" 2,1,8 \
        "$python" "$steps" digest "$out" "$k")
    digested=$digested,$dep
done

dep=$(hsubmit --job-name index --dep "afterok:$packed" 1,0,32 "$python" "$steps" index "$out")
dep=$(hsubmit --job-name verify --dep "afterok:$dep$digested" -1,0,4 \
    "$python" "$steps" verify "$out")

exec "$python" "$steps" wait "$dep"
