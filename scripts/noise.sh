#!/usr/bin/env bash
# How often do two runs of the same thing differ? Runs one profile again and again,
# compares every run with every other (bench compare), and then with runs in which
# every message takes 20 % longer to process. At most one pair in ten of the first
# kind may have a difference of any metric, counts that are draws included, and every
# pair of the second has to.
#
#   RUNS=20 BROKER=embedded scripts/noise.sh
#
# Half an hour on 2 cores, which should be idle. Exit code 1: it did not come out so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=${RUNS:-20}
broker=${BROKER:-embedded}
readonly SLOWER=3             # runs with the delay
readonly RUN_TIMEOUT=300      # seconds, of one run

tmp=$(mktemp -d "${TMPDIR:-/tmp}/deliverybench-noise.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export TMPDIR=$tmp
go build -buildvcs=false -o "$tmp/bench" ./bench

# measured NAME FLAG...: one run, whose folder is moved to NAME.
measured() {
  local name=$1
  shift
  timeout "$RUN_TIMEOUT" "$tmp/bench" -profile scripts/noise/cell.yaml -broker "$broker" -quiet -out "$tmp/out" "$@" >"$tmp/table"
  mv "$tmp"/out/noise-* "$tmp/$name"
}

# The slower runs are made among the others: a machine that drifts hits both.
slower=0
for ((run = 1; run <= runs; run++)); do
  measured "run-$run" -seed "$run"
  while ((slower < run * SLOWER / runs)); do
    slower=$((slower + 1))
    measured "slower-$slower" -seed "$slower" -only processing -set consumer.processing_time=1200us
  done
done

kept=${OUT:-$tmp/noise.csv}
echo "base,run,scenario,metric,base_median,run_median,p_value,finding" >"$kept"
echo "The same, compared with itself:"
python3 scripts/noise/pairs.py "$tmp/bench" "$kept" "$tmp"/run-* | tee "$tmp/same"
echo "A fifth slower, compared with the same:"
python3 scripts/noise/pairs.py "$tmp/bench" "$kept" "$tmp"/run-* -- "$tmp"/slower-* | tee "$tmp/slower"

judge() { awk -v sign="$3" -v bound="$2" '/ pairs differ / { share = $1 / $3 } END { exit !(sign * share >= sign * bound) }' "$1"; }
judge "$tmp/same" 0.10 -1 || { echo "more than one pair in ten of the same differs" >&2; exit 1; }
judge "$tmp/slower" 1 1 || { echo "a run that is a fifth slower was not told from one that is not" >&2; exit 1; }
