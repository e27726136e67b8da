#!/usr/bin/env bash
# Every check of this repository, from formatting to real runs against the
# embedded broker and Apache Kafka. It needs Go, a C compiler, PostgreSQL's server, Chromium, Java and
# Maven (for Apache Kafka), no terminal and no broker, and leaves nothing behind. Exit code 0: all of it
# passed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Bounds, so that nothing can hang. The whole takes about 25 minutes on 2 cores.
readonly TEST_TIMEOUT=40m      # of one test binary
# Inputs of one fuzz target. By time instead, Go's fuzzing fails now and then with
# "context deadline exceeded" when the time is over, and has found nothing.
readonly FUZZ_INPUTS=3000x
readonly FUZZ_TIMEOUT=400      # seconds, with building it, beside what has precedence
readonly RUN_TIMEOUT=900       # seconds, of one profile or suite
readonly CLAIMS_AT_ONCE=5      # runs of profiles
readonly LEAST_CLAIMS=18       # profiles of the suite that need no cluster

# The brokers of these tests live for seconds and minutes, in which compiling their
# code a second time, and better, costs more than it saves. No speed is judged here.
export JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1

tmp=$(mktemp -d "${TMPDIR:-/tmp}/deliverybench-test.XXXXXX")
tmp=$(cd "$tmp" && pwd -P)
chmod 711 "$tmp" # PostgreSQL does not run as root, and has its data in there
export TMPDIR=$tmp
step="start"
step_started=0

finish() {
  local code=$?
  trap - EXIT
  rm -rf "$tmp"
  if ((code != 0)); then
    echo "FAILED after ${SECONDS} s in step: $step (exit code $code)" >&2
  fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# run NAME COMMAND...: one step, with its name before it and its time after it.
run() {
  step=$1
  shift
  step_started=$SECONDS
  echo "=== $step"
  "$@"
  echo "--- $step: ok in $((SECONDS - step_started)) s"
}

# A C compiler is what the Kafka client's C library and the race detector need.
compiler() {
  if compiles; then return; fi
  if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
    echo "no working C compiler: installing gcc"
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc libc6-dev
  fi
  if ! compiles; then
    echo "needs a C compiler with the C library's headers: install gcc and libc6-dev" >&2
    return 1
  fi
}

compiles() {
  printf '#include <stdlib.h>\nint main(void) { return 0; }\n' |
    "${CC:-gcc}" -x c -o "$tmp/compiled" - 2>/dev/null
}

# PostgreSQL's server is what effects outside Kafka are tested with. Debian's
# package would start one of its own.
postgresql() {
  if initdb_found; then return; fi
  if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
    echo "no PostgreSQL server: installing postgresql"
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-common
    sed -i -E "s/^[#[:space:]]*create_main_cluster.*/create_main_cluster = false/" /etc/postgresql-common/createcluster.conf
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql
  fi
  if ! initdb_found; then
    echo "needs a PostgreSQL server: install one (on Debian: apt-get install postgresql)" >&2
    return 1
  fi
}

initdb_found() {
  [[ -n ${PG_BIN:-} ]] || command -v initdb >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null
}

# Chromium is what the reports' pages are tested in.
browser() {
  if browser_found; then return; fi
  if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
    echo "no Chromium: installing chromium"
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium
  fi
  if ! browser_found; then
    echo "needs Chromium: install it (on Debian: apt-get install chromium) or name it in CHROMIUM" >&2
    return 1
  fi
}

browser_found() {
  local name
  if [[ -n ${CHROMIUM:-} ]]; then return; fi
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then return; fi
  done
  return 1
}

# Go cannot be installed from Debian in the version needed, so it is asked for.
go_version() {
  local needed found
  needed=$(sed -n 's/^go //p' go.mod)
  if ! command -v go >/dev/null; then
    echo "needs Go $needed or newer, and finds none: install it and put it on the PATH" >&2
    return 1
  fi
  # A Go with GOTOOLCHAIN=auto answers with the toolchain that it fetches.
  found=$(go env GOVERSION | sed 's/^go//; s/[^0-9.].*//')
  if [[ $(printf '%s\n' "$needed" "$found" | sort -V | head -n 1) != "$needed" ]]; then
    echo "needs Go $needed or newer, and finds $found: install a newer one" >&2
    return 1
  fi
  export CGO_ENABLED=1
  echo "Go $found"
}

formatted() {
  local files
  files=$(gofmt -l .)
  if [[ -n $files ]]; then
    printf 'not formatted (run gofmt -w):\n%s\n' "$files" >&2
    return 1
  fi
}

# tests runs every test once. The race detector takes half of the machine and
# more, so that it is spared the packages in which little or nothing runs at the same time, and
# those that run whole trials; of the trials, with all that they use, it sees some of every kind
# (raced_trials). The longest packages come first. Under nohup, and in the background, some
# signals are ignored; tests send them.
tests() {
  local raced='/bench/(broker|client|fault/wire|metrics|pace|process|scratch|sink|sink/postgres|suite|worker)$' code=0 pid
  # shellcheck disable=SC2046 # one word per package
  tested ./bench/trial ./bench $(go list ./... | grep -vE "$raced|/bench(/trial)?$") &
  pid=$!
  # shellcheck disable=SC2046
  tested -race -p 1 $(go list ./... | grep -E "$raced") || code=$?
  wait "$pid" || code=$?
  return "$code"
}

# raced_trials: every strategy, members that come and go, kills and freezes,
# faults on the wire and interrupts, with workers and broker under the detector too.
raced_trials() {
  tested -race ./bench/trial -skip /local \
    -run '^Test(EveryStrategyIsFlawlessWithoutAFault|AMemberJoinsAndLeaves|StruckAnywhere|BadConnections|AnInterruptedTrialLeavesNothing)$'
}

tested() { env --default-signal=HUP,INT,TERM go test -timeout "$TEST_TIMEOUT" "$@"; }

# fuzz tries each fuzz target on what it finds by itself, in what the processors
# have left.
fuzz() {
  local file target
  while IFS=: read -r file target; do
    echo "$(dirname "$file") $target"
    timeout "$FUZZ_TIMEOUT" nice -n 5 go test "./$(dirname "$file")" -run '^$' -fuzz "^$target\$" \
      -fuzztime "$FUZZ_INPUTS" -fuzzminimizetime 5x
  done < <(grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' bench profiles | sed 's/func //' | sort)
}

build() {
  # Without the commit in it: git refuses a folder that belongs to another user.
  go build -buildvcs=false -o "$tmp/bench" ./bench
  "$tmp/bench" version
}

# claims_in_a_storm: claims and storm mostly wait, so fuzzing goes on beside them.
claims_in_a_storm() {
  local code=0 storming fuzzing
  touch "$tmp/started"
  storm >"$tmp/storm.out" 2>&1 &
  storming=$!
  fuzz >"$tmp/fuzz.out" 2>&1 &
  fuzzing=$!
  claims || code=$?
  wait "$storming" || code=$?
  wait "$fuzzing" || code=$?
  cat "$tmp/storm.out" "$tmp/fuzz.out"
  if ((code != 0)); then return "$code"; fi
  nothing_left
}

storm() {
  timeout "$RUN_TIMEOUT" "$tmp/bench" -profile fault-storm.yaml -out "$tmp/results" || {
    local code=$?
    echo "the run of fault-storm ended with exit code $code, not 0" >&2
    return "$code"
  }
}

# claims runs the guarantees, side by side and each by itself, and the profiles of the
# suite that need no cluster: several at once, since they mostly wait. Exit code 0 of a
# run: every claim is met.
claims() {
  local code=0
  mkdir "$tmp/claims" || return
  "$tmp/bench" check -profile claims -broker embedded >"$tmp/rows" || return
  awk '$1 == "profile" { on = 1; next } on && $3 != "–" && NF { print ($5 == "min" ? 60 : 1) * $4, "claims -only ^" $1 "$" }' "$tmp/rows" |
    sort -rn | cut -d ' ' -f 2- >"$tmp/claimed"
  if (($(wc -l <"$tmp/claimed") < LEAST_CLAIMS)); then
    echo "the suite's plan has fewer than $LEAST_CLAIMS profiles for the embedded broker:" >&2
    cat "$tmp/rows" >&2
    return 1
  fi
  # The repeats of semantics are for the interval of the speeds.
  printf '%s\n' 'semantics -set repeats=1' at-most-once at-least-once exactly-once >>"$tmp/claimed"
  xargs -P "$CLAIMS_AT_ONCE" -I RUN bash -c '
    out=$(mktemp -d "$3/XXXXXX")
    timeout "$1" "$2" -broker embedded -out "$out" -profile RUN >"$out.out" 2>&1 ||
      { code=$?; echo "the run of RUN ended with exit code $code, not 0" >&2; exit 1; }
  ' claims "$RUN_TIMEOUT" "$tmp/bench" "$tmp/claims" <"$tmp/claimed" || code=$?
  grep -hv '^ *[0-9]*/[0-9]* ' "$tmp"/claims/*.out
  return "$code"
}

# nothing_left: no process of the program, and no ledger without its owner.
# (Other runs on the machine hold a lock on theirs.)
nothing_left() {
  local exe dir
  for exe in /proc/[0-9]*/exe; do
    case $(readlink "$exe" 2>/dev/null || true) in
    "$tmp"/*)
      echo "a process was left behind: ${exe%/exe}" >&2
      return 1
      ;;
    esac
  done
  for dir in /dev/shm/deliverybench-* "$tmp"/deliverybench-*; do
    if [[ $dir -nt $tmp/started ]] && flock -n "$dir/owner" true 2>/dev/null; then
      echo "a ledger was left behind: $dir" >&2
      return 1
    fi
  done
}

# redraw makes every picture and report again from a copy of the saved files,
# and expects the same bytes.
redraw() {
  local saved copy name
  saved=$(echo "$tmp"/claims/*/semantics-*)
  copy=$tmp/copied/$(basename "$saved")
  mkdir "$tmp/copied"
  cp -r "$saved" "$copy"
  rm -r "$copy"/charts "$copy"/report.*
  "$tmp/bench" report "$copy" >/dev/null
  for name in report.md report.html charts; do
    diff -rq "$saved/$name" "$copy/$name"
  done
}

echo "started $(date -u +%Y-%m-%dT%H:%M:%SZ), $(nproc) cores"
run "C compiler" compiler
run "PostgreSQL" postgresql
run "Chromium" browser
run "Go" go_version
run "gofmt -l ." formatted
run "go vet ./..." go vet ./...
run "go tool staticcheck ./..." go tool staticcheck ./...
run "Apache Kafka's jars" scripts/fetch-kafka.sh
run "go test" tests
run "go test -race, trials" raced_trials
run "build" build
run "end to end: the guarantees, the claims that need no cluster, two minutes of faults on three nodes, and $FUZZ_INPUTS of each fuzz target" claims_in_a_storm
run "report from the saved files alone" redraw
echo "passed in $SECONDS s"
