#!/usr/bin/env bash
# Makes docs/CLAIMS.md from a run of the claims suite, and keeps that run's record
# in results/reference/claims.
#
#   scripts/claims.sh [FOLDER]     without one the suite is run first, 35 minutes on 2 cores
#
# Where a claim was not met (exit code 3) or could not be judged (4) the files are
# written all the same, say so, and the script ends with that code.
# It needs what scripts/fetch-kafka.sh fetches, and Java 17.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tmp=$(mktemp -d "${TMPDIR:-/tmp}/deliverybench-claims.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
go build -buildvcs=true -o "$tmp/bench" ./bench

# judged COMMAND...: runs it, and notes that claims did not come out; any other failure ends the script.
code=0
judged() {
  local ended=0
  "$@" || ended=$?
  case $ended in
    0) ;;
    3) echo "claims.sh: a claim was not met (exit code 3)" >&2; code=3 ;;
    4) echo "claims.sh: a claim is inconclusive (exit code 4)" >&2; code=4 ;;
    *) echo "claims.sh: $* failed (exit code $ended)" >&2; exit "$ended" ;;
  esac
}

folder=${1:-}
if [[ -z $folder ]]; then
  scripts/fetch-kafka.sh >&2
  judged "$tmp/bench" -profile claims
  folder=$(ls -dt results/claims-* | head -n 1)
fi
kept=results/reference/claims
judged "$tmp/bench" report "$folder" >/dev/null
if [[ ! $folder -ef $kept ]]; then
  mkdir -p "$kept"
  cp "$folder"/claims.json "$folder"/suite.yaml "$kept"
fi
# Of the record alone, as the next one will: without the runs.
judged "$tmp/bench" report "$kept"
mv "$kept"/claims.md docs/CLAIMS.md
exit "$code"
