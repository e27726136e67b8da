#!/usr/bin/env bash
# Makes docs/CLAIMS.md from a run of the claims suite, and keeps that run's record
# in results/reference/claims.
#
#   scripts/claims.sh [FOLDER]     without one the suite is run first, half an hour on 2 cores
#
# It needs what scripts/fetch-kafka.sh fetches, and Java 17.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tmp=$(mktemp -d "${TMPDIR:-/tmp}/deliverybench-claims.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
go build -buildvcs=true -o "$tmp/bench" ./bench

folder=${1:-}
if [[ -z $folder ]]; then
  scripts/fetch-kafka.sh >&2
  "$tmp/bench" -profile claims
  folder=$(ls -dt results/claims-* | head -n 1)
fi
kept=results/reference/claims
"$tmp/bench" report "$folder" >/dev/null
if [[ ! $folder -ef $kept ]]; then
  mkdir -p "$kept"
  cp "$folder"/claims.json "$folder"/suite.yaml "$kept"
fi
# Of the record alone, as the next one will: without the runs.
"$tmp/bench" report "$kept"
mv "$kept"/claims.md docs/CLAIMS.md
