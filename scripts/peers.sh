#!/usr/bin/env bash
# This program beside Kafka's own tools, alternately on the same one-node
# cluster: kafka-producer-perf-test, kafka-consumer-perf-test and the end-to-end
# latency tool, with the same messages, acks, linger and batch. Kafka's tools are
# given the number of messages that this program sent in the same round. Prints
# medians and the ratios within a round; it fails only if something does not run.
#
#   ROUNDS=5 scripts/peers.sh > results/reference/peers.txt
#
# Needs what scripts/fetch-kafka.sh fetches, Java 17 and Python 3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${ROUNDS:-5}
batches=${BATCHES:-16384 1048576} # bytes: the default of Kafka's client, and of librdkafka
readonly VERSION=4.3.1
readonly LATENCY_MESSAGES=2000
readonly TOOL_TIMEOUT=180 # seconds, of one command

scripts/fetch-kafka.sh "$VERSION" >&2
tmp=$(mktemp -d "${TMPDIR:-/tmp}/deliverybench-peers.XXXXXX")
broker=
finish() {
  if [[ -n $broker ]]; then kill -INT "$broker" 2>/dev/null && wait "$broker" || true; fi
  rm -rf "$tmp"
}
trap finish EXIT
export TMPDIR=$tmp

go build -buildvcs=false -o "$tmp/bench" ./bench
"$tmp/bench" broker -broker local -out "$tmp/logs" >"$tmp/address" 2>"$tmp/broker.err" &
broker=$!
for ((i = 0; i < 1200 && $(wc -l <"$tmp/address") == 0; i++)); do
  kill -0 "$broker" 2>/dev/null || { cat "$tmp/broker.err" >&2; exit 1; }
  sleep 0.1
done
address=$(head -1 "$tmp/address")
[[ -n $address ]] || { echo "waited 120 s for the broker" >&2; exit 1; }

kafka() { # CLASS ARGUMENTS...: one of Kafka's tools, with the heap that its own scripts give it
  timeout "$TOOL_TIMEOUT" java -Xmx512m -Dlog4j2.configurationFile="$tmp/log4j2.yaml" -cp ".cache/kafka/$VERSION/libs/*" "org.apache.kafka.tools.$@" 2>>"$tmp/tools.err" ||
    { tail -5 "$tmp/tools.err" >&2; return 1; }
}
printf 'Configuration:\n  Loggers:\n    Root: {level: ERROR}\n' >"$tmp/log4j2.yaml"

topic() { # NAME PARTITIONS
  kafka TopicCommand --bootstrap-server "$address" --create --topic "$1" --partitions "$2" --replication-factor 1 >/dev/null
}
drop() { kafka TopicCommand --bootstrap-server "$address" --delete --topic "$1" >/dev/null; }

ours() { # PROFILE FLAGS...: run.json of one trial
  timeout "$TOOL_TIMEOUT" "$tmp/bench" -profile "scripts/peers/$1.yaml" -broker "$address" -out "$tmp/results" -json "${@:2}" >"$tmp/run.json" ||
    { echo "the run of peers/$1 ended with exit code $?" >&2; return 1; }
}
field() { # EXPRESSION over t, the trial
  python3 -c "import json,sys; t=json.load(open('$tmp/run.json'))['cells'][0]['trials'][0]; print($1)"
}
note() { printf '%s\t' "$@" >>"$tmp/figures"; echo >>"$tmp/figures"; }

for ((round = 1; round <= rounds; round++)); do
  for batch in $batches; do
    ours produce -set "producer.batch_size=${batch}B"
    count=$(field "t['verdict']['due']")
    note "produce, batch $batch" "$round" "$(field "t['verdict']['acked']/t['verdict']['due'] and t['throughput']['produced_per_second']")" "$count"
    topic peer-produce 3
    line=$(kafka ProducerPerformance --bootstrap-server "$address" --topic peer-produce --num-records "$count" --record-size 256 --throughput -1 \
      --command-property acks=all linger.ms=5 "batch.size=$batch" | grep 'records sent' | tail -1)
    note "kafka-producer-perf-test, batch $batch" "$round" "$(sed -E 's/.* sent, ([0-9.]+) records\/sec.*/\1/' <<<"$line")" "$count"
    if [[ $batch != "${batches##* }" ]]; then drop peer-produce; fi
  done
  ours consume
  note consume "$round" "$(field "t['backlog']['drained_per_second']")" "$(field "t['backlog']['messages']")"
  line=$(kafka ConsumerPerformance --bootstrap-server "$address" --topic peer-produce --num-records "$count" --hide-header --timeout 60000 | tail -1)
  note kafka-consumer-perf-test "$round" "$(awk -F', *' '{print $10}' <<<"$line")" "$count"
  drop peer-produce
  ours latency
  note latency "$round" "$(field "t['latency']['end_to_end']['p50']/1000")" "$(field "t['latency']['end_to_end']['count']")"
  topic peer-latency 1
  # The tool cuts every latency down to whole milliseconds before it sorts them;
  # its average is finer.
  line=$(kafka EndToEndLatency "$address" peer-latency "$LATENCY_MESSAGES" all 256 | grep -E 'Avg latency|Percentiles' | tr '\n' ' ')
  note "end-to-end latency tool" "$round" "$(sed -E 's/.*50th = ([0-9.]+).*/\1/' <<<"$line")" "$LATENCY_MESSAGES"
  note "end-to-end latency tool, average" "$round" "$(sed -E 's/.*Avg latency: ([0-9.]+).*/\1/' <<<"$line")" "$LATENCY_MESSAGES"
  drop peer-latency
  echo "round $round of $rounds done, load average $(cut -d ' ' -f 1-3 /proc/loadavg)" >&2
done

echo "deliverybench beside Kafka's own tools, $(date -u +%Y-%m-%d)"
echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores shared by load and broker, $(go version | cut -d ' ' -f 3-), $(java -version 2>&1 | head -1)"
echo "broker:  Apache Kafka $VERSION, one node on loopback, 3 partitions (latency: 1), one copy"
echo "client:  confluent-kafka-go $(go list -m -f '{{.Version}}' github.com/confluentinc/confluent-kafka-go/v2); 256 B, acks=all, idempotence, linger 5 ms (latency: 0)"
echo "rounds:  $rounds, alternately; every message of ours is identified, checksummed and audited"
echo
python3 scripts/peers/summary.py "$tmp/figures"
