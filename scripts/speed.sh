#!/usr/bin/env bash
# What measuring costs: the worker's loops beside the same loops without it and
# beside the client library's plain loop. The loops run alternately, so that
# what else the machine does hits all of them; the figures that count are the
# ratios within a round, as medians. It fails only if something does not run:
# whether a figure is good enough is for its reader to judge. No broker needed.
#
#   ROUNDS=7 MESSAGES=400000 scripts/speed.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${ROUNDS:-7}        # 5 or more
messages=${MESSAGES:-400000}
readonly RUN_TIMEOUT=300   # seconds, of one loop

tmp=$(mktemp -d "${TMPDIR:-/tmp}/deliverybench-speed.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export TMPDIR=$tmp

load() { cut -d ' ' -f 1-3 /proc/loadavg; }
echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores, $(go version | cut -d ' ' -f 3-)"
echo "client:  confluent-kafka-go $(go list -m -f '{{.Version}}' github.com/confluentinc/confluent-kafka-go/v2)"
echo "rounds:  $rounds of $messages messages of 256 B; load average before: $(load)"

echo
echo "Per message, without a client (ns and allocations)"
go test -run '^$' -benchmem -benchtime 200ms \
  -bench '^(BenchmarkBegin|BenchmarkAcked|BenchmarkEffectMark|BenchmarkEncode256B|BenchmarkSeal256B|BenchmarkDecode256B|BenchmarkAt|BenchmarkIntervalRecord)$' \
  ./bench/ledger ./bench/message ./bench/pace ./bench/latency |
  awk '/^Benchmark/ {
    for (i = 2; i < NF; i++) { if ($(i+1) == "ns/op") ns = $i; if ($(i+1) == "allocs/op") allocs = $i }
    printf "  %-36s %8s ns  %s allocs  %s\n", substr($1, 10), ns, allocs, (allocs == 0 ? "PASS" : "BELOW: target 0")
  }'

go test -c -o "$tmp/worker.test" ./bench/worker
bench() { # NAME COUNT: one benchmark, its line
  timeout "$RUN_TIMEOUT" "$tmp/worker.test" -test.run '^$' -test.bench "$1" -test.benchtime "$2x" >"$tmp/out" 2>&1 ||
    { cat "$tmp/out" >&2; exit 1; }
  grep '^Benchmark' "$tmp/out"
}

loops=()
for broker in free embedded; do
  for loop in opaque lean bare closed paced; do loops+=("Produce/broker=$broker/loop=$loop"); done
  for loop in bare measured; do loops+=("Consume/broker=$broker/loop=$loop"); done
done
for ((round = 0; round < rounds; round++)); do
  for ((i = 0; i < ${#loops[@]}; i++)); do
    loop=${loops[(i + round) % ${#loops[@]}]} # another one begins each round
    bench "^Benchmark${loop//\//\$/^}\$" "$messages" | sed "s/^/$round /" >>"$tmp/loops"
  done
  echo "round $((round + 1)) of $rounds done, load average $(load)" >&2
done
for ((round = 0; round < 3; round++)); do bench '^BenchmarkSendLag50k$' 250000 >>"$tmp/lag"; done

awk -v rounds="$rounds" '
  function sorted(list, n,    i, j, t) { # insertion sort of list[1..n]
    for (i = 2; i <= n; i++) { t = list[i]; for (j = i - 1; j >= 1 && list[j] > t; j--) list[j+1] = list[j]; list[j+1] = t }
  }
  function median(list, n) { sorted(list, n); return n % 2 ? list[(n+1)/2] : (list[n/2] + list[n/2+1]) / 2 }
  function column(of, name,    r, n) { n = 0; for (r = 0; r < rounds; r++) values[++n] = of[name, r]; return median(values, n) }
  # ratio of two loops, round by round; inverse for a cost
  function ratio(of, a, b,    r, n) {
    n = 0
    for (r = 0; r < rounds; r++) values[++n] = of[a, r] / of[b, r]
    mid = median(values, n); low = values[1]; high = values[n]
  }
  function judge(what, target, good) { printf "  %-52s %6.3f  (%.3f–%.3f)  %s\n", what, mid, low, high, (good ? "PASS" : "BELOW: target " target) }
  function gain(what, a, b, least) { ratio(rate, a, b); judge(what ", msg/s", "≥ " least, mid >= least); ratio(cpu, b, a); judge(what ", processor", "≥ " least, mid >= least) }
  function costs(what, a, b, most) { ratio(rate, b, a); judge(what ", time", "≤ " most, mid <= most); ratio(cpu, a, b); judge(what ", processor", "≤ " most, mid <= most) }
  {
    name = $2; sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name); sub(/broker=/, "", name); sub(/loop=/, "", name)
    for (i = 3; i < NF; i++) { if ($(i+1) == "msg/s") rate[name, $1] = $i; if ($(i+1) == "cpu-ns/msg") cpu[name, $1] = $i }
    if (!(name in seen)) { seen[name] = 1; names[++count] = name }
  }
  END {
    print "\nMedians (broker=free costs nothing, broker=embedded shares the processors)"
    for (i = 1; i <= count; i++)
      printf "  %-28s %9.0f msg/s  %5.0f ns of processor time per message\n", names[i], column(rate, names[i]), column(cpu, names[i])
    print "\nRatios: median of the rounds (lowest–highest)"
    split("free embedded", brokers, " ")
    for (k = 1; k <= 2; k++) {
      b = brokers[k]; p = "Produce/" b "/"; c = "Consume/" b "/"
      gain(b ": produce, measured ÷ plain opaque loop", p "closed", p "opaque", 1.1)
      costs(b ": produce, measured ÷ without", p "closed", p "bare", 1.05)
      costs(b ": produce, paced too ÷ without", p "paced", p "bare", 1.05)
      costs(b ": consume, measured ÷ without", c "measured", c "bare", 1.10)
    }
    m = column(rate, "Consume/free/measured")
    printf "\nConsumer: %.0f msg/s where the broker gives it  %s\n", m, (m >= 700000 ? "PASS" : "BELOW: target 700,000")
  }' "$tmp/loops"

echo
echo "Send lag at 50,000 msg/s (µs), three times"
awk '{
  line = ""
  for (i = 3; i < NF; i += 2) { line = line sprintf("  %s %6.0f", $(i+1), $i); if ($(i+1) == "p99.9-µs") tail = $i }
  print line "  " (tail <= 2000 ? "PASS" : "BELOW: target p99.9 ≤ 2000, on an idle machine")
}' "$tmp/lag"
echo
echo "load average after: $(load)"
