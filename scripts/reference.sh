#!/usr/bin/env bash
# Makes the reference results under results/reference: the guarantees side by side,
# every combination of acks, retries, idempotence and commit, a leader that fails, how
# much load holds, and twenty minutes of faults drawn at random, each on three nodes of
# Apache Kafka on this machine. Then it writes README's tables anew from them.
#
#   scripts/reference.sh [semantics|matrix|acks-failover|capacity|fault-storm]...     without one, all
#
# An hour on 2 cores, which should be idle. Where a claim was not met (exit code 3)
# or could not be judged (4) the result is kept all the same, and the script ends with
# that code. Needs what scripts/fetch-kafka.sh fetches, and Java 17.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly RUN_TIMEOUT=3600 # seconds, of one run
tmp=$(mktemp -d "${TMPDIR:-/tmp}/deliverybench-reference.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
scripts/fetch-kafka.sh >&2
go build -buildvcs=true -o "$tmp/bench" ./bench

# keep NAME: what a report is made from, and the report. What can be drawn again from
# that (pictures as pixels, percentile lists) stays out of the repository.
keep() {
  local from to=results/reference/$1
  from=$(echo "$tmp/$1"/*)
  rm -rf "$to" "$from"/logs "$from"/*.log
  case $1 in # figures of capacity need none; of twenty minutes it is 10 MB for one curve
    capacity | fault-storm)
      rm -rf "$from"/histograms
      # As it will be made from what is kept. Exit codes 3 and 4 are the claims'.
      "$tmp/bench" report "$from" >/dev/null || (($? == 3 || $? == 4))
      ;;
  esac
  find "$from" \( -name '*.png' -o -name '*.hgrm' \) -delete
  mkdir -p "$(dirname "$to")"
  mv "$from" "$to"
}

code=0
# measured NAME ARGUMENT...: one run, which is kept whatever its claims came to.
measured() {
  local name=$1 ended=0
  shift
  echo "=== $name"
  timeout "$RUN_TIMEOUT" "$tmp/bench" "$@" -broker local3 -out "$tmp/$name" || ended=$?
  case $ended in
    0) ;;
    3) code=3 ;; # what is not met counts more than what is not known
    4) ((code == 3)) || code=4 ;;
    *) echo "reference.sh: $name failed (exit code $ended)" >&2; exit "$ended" ;;
  esac
  keep "$name"
}

wanted=("$@")
if ((${#wanted[@]} == 0)); then wanted=(semantics matrix acks-failover capacity fault-storm); fi
for name in "${wanted[@]}"; do
  case $name in
    # A rate that each arm carries here: above it latencies are those of a queue that grows.
    semantics) measured semantics -profile semantics.yaml -set paced/load.rate=4000/s ;;
    matrix | acks-failover) measured "$name" -profile "$name.yaml" ;;
    capacity) measured capacity capacity -profile payments.yaml ;;
    fault-storm) measured fault-storm -profile fault-storm.yaml -set load.duration=20m ;;
    *) echo "reference.sh: there is no reference result $name; use semantics, matrix, acks-failover, capacity, fault-storm" >&2; exit 2 ;;
  esac
done
go test ./bench -run '^TestReadmePrintsTheReference$' -update
exit "$code"
