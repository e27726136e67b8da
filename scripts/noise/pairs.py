"""Compares saved runs in pairs by the program itself (bench compare -json).

    pairs.py BENCH CSV RUN...                  every pair: in how many any metric differs
    pairs.py BENCH CSV BASE... -- SLOWER...    each base with each slower run: in how many the
                                               speed of scenario processing is found to be worse
"""

import csv
import itertools
import json
import subprocess
import sys

bench, table, *names = sys.argv[1:]
bases, runs = (names[: names.index("--")], names[names.index("--") + 1 :]) if "--" in names else (names, None)
pairs = list(itertools.product(bases, runs) if runs else itertools.combinations(bases, 2))

different = 0
by_metric = {}
with open(table, "a", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    for base, run in pairs:
        compared = json.loads(subprocess.run([bench, "compare", "-json", base, run], check=True, stdout=subprocess.PIPE).stdout)
        found = False
        for row in compared["rows"]:
            # A count that was not tested has no p-value, and is told of all the same.
            p_value = row.get("p_value", "")
            out.writerow([base.rsplit("/")[-1], run.rsplit("/")[-1], row["scenario"], row["metric"], row["base"], row["run"], p_value, row["finding"]])
            significant = row["finding"] in ("better", "worse")
            name = row["scenario"] + " " + row["metric"]
            by_metric[name] = by_metric.get(name, 0) + significant
            if runs:
                significant = name == "processing pipeline_per_second" and row["finding"] == "worse"
            found = found or significant
        different += found
for name, count in by_metric.items():
    print(f"  {name}: {count} of {len(pairs)}")
print(f"{different} of {len(pairs)} pairs differ ({100 * different / len(pairs):.1f} %)")
