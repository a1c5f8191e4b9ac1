# One job of hsched on the node that Slurm chose.  Lines before these have set
#   folder   of the plans and records, on a file system that all nodes see
#   number   of the job; first: which attempt this job of Slurm began with
#   retries, retry_on    as hsubmit was told; statuses between blanks
#   shim     the words that start the shim, quoted for a shell
#   keeps    names of variables, as NAME|NAME, which the user set and Slurm does not
#   gpus     yes, where a job without a GPU shall see none
#   lease    what it holds, for a hrun inside of it: JSON, less the id
umask 077
exec </dev/null >/dev/null 2>>"$folder/batch.log"

job=$number${SLURM_ARRAY_TASK_ID:+.$SLURM_ARRAY_TASK_ID}
attempt=$((first + ${SLURM_RESTART_COUNT:-0}))
record=$folder/$job-$attempt
log() { echo "$(date +%FT%T) ${SLURMD_NODENAME:-} slurm job $SLURM_JOB_ID, job $job, attempt $attempt: $1" >&2; }

# Should Slurm have got the same job twice, who claims it first runs, and the other one ends.
if ! (set -C && echo "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}" >"$record.claim") 2>/dev/null; then
    log "claimed by slurm job $(cat "$record.claim"): not run"
    exit 75
fi

# Signals to this script are for the shim, which passes them on to the tree of the job.
asked='' pid=''
pass() {
    case $1 in 15 | 42) asked=$1 ;; esac
    [ -z "$pid" ] || kill -"$1" "$pid" 2>/dev/null
}
for number in 15 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 \
    61 62 63 64; do
    trap "pass $number" "$number"
done

# What Slurm tells its jobs comes on top of what the submitter had.
from_slurm() {
    env -0 | grep -z -E '^(SLURM\w*|SLURMD_NODENAME|CUDA_VISIBLE_DEVICES|ROCR_VISIBLE_DEVICES|GPU_DEVICE_ORDINAL|ZE_AFFINITY_MASK)=' |
        grep -z -v -E "^(${keeps:-=})=" | sed -z 's/^/env=/'
    if [ -n "$gpus" ] && [ -z "${CUDA_VISIBLE_DEVICES+set}" ]; then
        printf 'env=CUDA_VISIBLE_DEVICES=\0'
    fi
    printf 'env=HSCHED_ATTEMPT=%s\0' "$attempt"
    [ ! -e "$shared/job" ] || printf 'env=HSCHED_LEASE=%s\0' "$shared/job"
    [ -z "$is_task" ] || printf 'env=HSCHED_DEVICE_IDS=%s\0' "${CUDA_VISIBLE_DEVICES-}"
}
plan=$record.plan
if ! cat "$folder/$job.plan" >"$plan"; then
    log "its plan is gone: not run"
    rm -f "$plan"
    exit 75
fi
shared=${folder%/slurm}/leases/$job-$attempt
mkdir -p "$shared" && printf '["%s", %s]' "$job" "$lease" >"$shared/job"
is_task=$(grep -z -c '^env=HSCHED_DEVICE_IDS=' "$plan" | grep -v '^0$')
from_slurm >>"$plan"

eval "set -- $shim"
[ -x "$1" ] || log "no $1 on this node"
"$@" "$job" 3<"$plan" 4<>"$record" 2>/dev/null &
pid=$!
[ -z "$asked" ] || kill -"$asked" "$pid"
while :; do
    wait "$pid"
    kill -0 "$pid" 2>/dev/null || break
done
rm -f "$plan"

# exited STATUS ..., signalled NUMBER ..., spawnfailed ERRNO STEP
set -- $(tail -c +193 "$record" | head -c 256 | tr -d '\0') lost 0
case $1 in
exited) status=$2 ;;
signalled) status=$((128 + $2)) ;;
*) status=127 ;;
esac
if [ -n "$asked" ]; then
    [ "$status" -ne 0 ] || status=143 # who was told to end did not succeed
elif [ "$status" -ne 0 ] && [ "$1" != lost ] && [ "$1" != spawnfailed ] && [ "$attempt" -le "$retries" ]; then
    case "${retry_on:- $status }" in
    *" $status "*)
        if scontrol requeue "$SLURM_JOB_ID"; then
            sleep 60 & wait "$!" # Slurm ends this script
        else
            log "could not be requeued"
        fi
        ;;
    esac
fi
exit "$status"
