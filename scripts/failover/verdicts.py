"""Prints one line per trial of a run.json and writes their number to a file.

Fails when a trial has neither a verdict nor a reason.
"""

import json
import sys


def main():
    run = json.load(open(sys.argv[1]))
    count, nameless = 0, 0
    for cell in run["cells"]:
        for trial in cell["trials"] or []:
            if trial["status"] == "omitted":
                continue
            count += 1
            verdict, reason = trial.get("verdict"), trial.get("reason", "")
            if verdict is None and not reason:
                nameless += 1
            found = "no verdict" if verdict is None else (
                f"lost {verdict['lost']['total']}, duplicates {verdict['duplicates']['total']}, promise {trial['promise']}")
            print(f"{cell['name']:16} {trial['scenario']:31} {trial['status']:12} {trial['took_seconds']:6.1f} s  {found}"
                  + (f"  ({reason[:200]})" if reason else ""), flush=True)
    open(sys.argv[2], "w").write(str(count))
    if nameless:
        sys.exit(f"{nameless} trials have neither a verdict nor a reason")


main()
