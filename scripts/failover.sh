#!/usr/bin/env bash
# Failover trials on three nodes of Apache Kafka, one after another: every kind
# of broker fault, several times. It fails when a run does not end in its time,
# when a trial ends in neither a verdict nor a named reason, or when a process or
# a folder is left behind. What the trials found is printed, whatever it is.
#
#   TRIALS=30 scripts/failover.sh
#
# Needs what scripts/fetch-kafka.sh fetches, Java 17 and Python 3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

least=${TRIALS:-30}
readonly RUN_TIMEOUT=1500 # seconds, of one run of a profile

scripts/fetch-kafka.sh >&2
tmp=$(mktemp -d "${TMPDIR:-/tmp}/deliverybench-failover.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export TMPDIR=$tmp
go build -buildvcs=false -o "$tmp/bench" ./bench

# left_behind: processes of this program or of its brokers, by the folder that
# all of them have in their command or program.
left_behind() {
  local process
  for process in /proc/[0-9]*; do
    if [[ $(readlink "$process/exe" 2>/dev/null || true) == "$tmp"/* ]] ||
      { tr '\0' ' ' <"$process/cmdline" | grep -qF "$tmp/"; } 2>/dev/null; then
      echo "a process was left behind: $process" >&2
      return 0
    fi
  done
  if compgen -G "$tmp/deliverybench-*" >/dev/null; then
    echo "a folder was left behind: $(compgen -G "$tmp/deliverybench-*")" >&2
    return 0
  fi
  return 1
}

trials=0
for ((run = 1; trials < least; run++)); do
  profile=broker-faults
  if ((run % 2 == 0)); then profile=acks-failover; fi
  code=0
  timeout "$RUN_TIMEOUT" "$tmp/bench" -profile "$profile.yaml" -broker local3 -seed "$run" -out "$tmp/results" -json >"$tmp/run.json" 2>"$tmp/progress" || code=$?
  if ((code == 124)); then
    tail -3 "$tmp/progress" >&2
    echo "the run of $profile did not end in $RUN_TIMEOUT s" >&2
    exit 1
  fi
  python3 scripts/failover/verdicts.py "$tmp/run.json" "$tmp/count"
  trials=$((trials + $(cat "$tmp/count")))
  if left_behind; then exit 1; fi
done
echo "$trials trials: each ended in a verdict or a named reason, and nothing was left behind"
