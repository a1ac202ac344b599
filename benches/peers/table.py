#!/usr/bin/env python3
"""table.py RESULTS.jsonl…: the results as Markdown; of several runs of one peer the median."""

import json
import statistics
import sys

COLUMNS = {
    "steady_us_cpu_per_record": "µs CPU/record, steady",
    "us_cpu_per_record": "µs CPU/record",
    "steady_records_per_s": "records/s, steady",
    "records_per_s": "records/s",
    "broker_us_cpu_per_record": "broker µs CPU/record",
    "peak_rss_mb": "peak RSS, MB",
}
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms")


def lines(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            yield from map(json.loads, file)


def row(cells):
    print("|", " | ".join(str(cell) for cell in cells), "|")


def median(runs, column):
    return f"{statistics.median(run[column] for run in runs):,.10g}"


def peers(results):
    by_peer = {}
    for run in results:
        if "peer" in run:
            by_peer.setdefault((run["peer"], run["delivery"]), []).append(run)
    row(["peer", "delivery", *COLUMNS.values(), "output checked", "runs"])
    row(["---", "---", *["--:"] * len(COLUMNS), "---", "--:"])
    for (peer, delivery), runs in by_peer.items():
        good = [run for run in runs if "failed" not in run]
        cells = [median(good, column) if good else "failed" for column in COLUMNS]
        checked = ", ".join(sorted({run.get("verified", "-") for run in runs}))
        row([peer, delivery, *cells, checked, f"{len(good)} of {len(runs)}"])


def latencies(results):
    runs = [run for run in results if "latency" in run]
    if not runs:
        return
    print()
    row(["publish to visible", "records/s", *PERCENTILES, "runs"])
    row(["---", "--:", *["--:"] * len(PERCENTILES), "--:"])
    row([runs[0]["latency"], runs[0]["rate"], *[median(runs, column) for column in PERCENTILES], len(runs)])


if __name__ == "__main__":
    found = list(lines(sys.argv[1:]))
    peers(found)
    latencies(found)
