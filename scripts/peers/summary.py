"""Medians of each tool's rounds, and of the ratios within a round.

Reads the lines that scripts/peers.sh notes: name, round, figure, messages.
"""

import statistics
import sys

PAIRS = [
    ("produce, batch 16384", "kafka-producer-perf-test, batch 16384", "msg/s", "at least 1.5", lambda r: r >= 1.5),
    ("produce, batch 1048576", "kafka-producer-perf-test, batch 1048576", "msg/s", "at least 1.5", lambda r: r >= 1.5),
    ("consume", "kafka-consumer-perf-test", "msg/s", "", None),
    ("latency", "end-to-end latency tool", "ms, p50", "at most 1.2", lambda r: r <= 1.2),
    ("latency", "end-to-end latency tool, average", "ms", "", None),
]


def main():
    figures, messages = {}, {}
    for line in open(sys.argv[1]):
        name, turn, figure, count = line.rstrip("\t\n").split("\t")
        figures.setdefault(name, {})[int(turn)] = float(figure)
        messages.setdefault(name, []).append(int(count))
    for ours, theirs, unit, target, good in PAIRS:
        if ours not in figures:
            continue
        for name in (ours, theirs):
            values = figures[name].values()
            print(f"{name:42} {number(statistics.median(values)):>10} {unit:8} ({number(min(values))}–{number(max(values))}), "
                  f"{statistics.median(messages[name]):,.0f} messages")
        ratios = [figures[ours][turn] / figures[theirs][turn] for turn in figures[ours]]
        ratio = statistics.median(ratios)
        verdict = "" if good is None else ("  PASS" if good(ratio) else f"  BELOW: target {target}")
        print(f"{'ratio':42} {ratio:10.2f}          ({min(ratios):.2f}–{max(ratios):.2f}){verdict}\n")


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


main()
