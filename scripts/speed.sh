#!/usr/bin/env bash
# What measuring costs: the worker's loops beside the same loops without it and
# beside the client library's plain loop. The two sides of a comparison alternate
# in short turns within one process, so that what else the machine does hits both;
# the figures that count are the medians of the turns' ratios. It fails only if
# something does not run: whether a figure is good enough is for its reader to
# judge, and a machine that is not idle can be told by the intervals.
#
#   MESSAGES=600000 scripts/speed.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Of one turn, about a second: what a worker does once, such as opening its logs,
# is then as little of it as in a trial. A comparison has 25 turns of each side.
messages=${MESSAGES:-600000}
readonly RUN_TIMEOUT=3600     # seconds, of all comparisons

tmp=$(mktemp -d "${TMPDIR:-/tmp}/deliverybench-speed.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export TMPDIR=$tmp

load() { cut -d ' ' -f 1-3 /proc/loadavg; }
echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores, $(go version | cut -d ' ' -f 3-)"
echo "client:  confluent-kafka-go $(go list -m -f '{{.Version}}' github.com/confluentinc/confluent-kafka-go/v2)"
echo "turns:   25 of $messages messages of 256 B; load average before: $(load)"

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
bench() { # NAME COUNT: each comparison's line as soon as it is there
  timeout "$RUN_TIMEOUT" "$tmp/worker.test" -test.run '^$' -test.bench "$1" -test.benchtime "$2x" 2>&1 |
    tee "$tmp/out" | grep --line-buffered '^Benchmark.* [0-9]' || true
  tail -n 1 "$tmp/out" | grep -q '^PASS' || { cat "$tmp/out" >&2; exit 1; }
}

echo
echo "One loop ÷ another: time and processor time per message, median of 25 turns (95 % interval)"
echo "(broker=free costs nothing; embedded, and local of Apache Kafka, share the processors)"
bench '^(BenchmarkProduce|BenchmarkConsume)$' "$messages" | awk '{
  for (i = 3; i < NF; i += 2) v[$(i+1)] = $i
  name = $1; sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name)
  most = name ~ /^Consume/ ? 1.10 : 1.05
  if (name ~ /÷closed/) { most = ""; target = "≥ 1.1" } else target = "≤ " most
  good = most == "" ? v["time"] >= 1.1 : v["time"] <= most
  printf "  %-42s time %.3f (%.3f–%.3f)  processor %.3f (%.3f–%.3f)  %s\n", name, v["time"], v["time-low"], v["time-high"],
    v["processor"], v["processor-low"], v["processor-high"], (good ? "PASS" : "BELOW: target " target)
  if (name ~ /^Consume.broker=free/) printf "  %-42s %.0f msg/s, without measuring %.0f  %s\n", "Consume where the broker gives it", v["msg/s"], v["other-msg/s"],
    (v["msg/s"] >= 700000 ? "PASS" : "BELOW: target 700,000")
  fflush()
}'

echo
echo "Send lag at 50,000 msg/s (µs), three times, each beside the same schedule with nobody to send to"
for ((round = 0; round < 3; round++)); do
  bench '^BenchmarkSleepLag50k$' 250000
  bench '^BenchmarkSendLag50k$' 250000
done | awk '{
  line = ""
  for (i = 3; i < NF; i += 2) { line = line sprintf("  %s %6.0f", $(i+1), $i); if ($(i+1) == "p99.9-µs") tail = $i }
  if ($1 ~ /Sleep/) { alone = tail; print "  machine " line; next }
  print "  producer" line "  " (tail <= 2000 ? "PASS" : "BELOW: target p99.9 ≤ 2000, on an idle machine; the machine alone is " alone)
}'
echo
echo "load average after: $(load)"
