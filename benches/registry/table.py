"""Prints the medians of a results file as a table, with each figure's ratio to mesh's. usage: table.py RESULTS"""

import json
import statistics
import sys

ROWS = [
    ("reads by id per CPU second", "reads_per_cpu_second", "{:,.0f}"),
    ("reads by id per second", "reads_per_second", "{:,.0f}"),
    ("registrations per CPU second", "registrations_per_cpu_second", "{:,.0f}"),
    ("registrations per second", "registrations_per_second", "{:,.0f}"),
    ("memory when idle, MiB", "rss_idle_mib", "{:,.0f}"),
    ("memory after the load, MiB", "rss_loaded_mib", "{:,.0f}"),
    ("start on the full log, s", "start_seconds", "{:.2f}"),
    ("start on the full log, CPU s", "start_cpu_seconds", "{:.2f}"),
]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        results = [json.loads(line) for line in file]
    names = list(dict.fromkeys(result["name"] for result in results))

    def median(name, key):
        return statistics.median(result[key] for result in results if result["name"] == name)

    runs = {name: sum(result["name"] == name for result in results) for name in names}
    print("| | " + " | ".join(f"{name} (median of {runs[name]})" for name in names) + " |")
    print("|---|" + "---:|" * len(names))
    for title, key, form in ROWS:
        print(f"| {title} | " + " | ".join(form.format(median(name, key)) for name in names) + " |")


main()
