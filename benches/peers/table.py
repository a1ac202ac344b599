#!/usr/bin/env python3
"""table.py [--of PEER] [--beside PEER]… RESULTS.jsonl…: the results as Markdown; of several runs of one peer the median.

Then what one peer (mesh) takes beside each baseline (all others, unless some are named): the median of the ratios of the same turn,
since what else the machine did meanwhile was much the same for both.
"""

import argparse
import json
import statistics

COLUMNS = {
    "steady_us_cpu_per_record": "µs CPU/record, steady",
    "us_cpu_per_record": "µs CPU/record",
    "steady_records_per_s": "records/s, steady",
    "records_per_s": "records/s",
    "broker_us_cpu_per_record": "broker µs CPU/record",
    "peak_rss_mb": "peak RSS, MB",
}
RATIOS = ("steady_us_cpu_per_record", "steady_records_per_s", "peak_rss_mb")
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms")


def lines(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            yield from map(json.loads, file)


def row(cells):
    print("|", " | ".join(str(cell) for cell in cells), "|")


def median(runs, column):
    return f"{statistics.median(run[column] for run in runs):,.10g}"


def runs_by_peer(results):
    by_peer = {}
    for run in results:
        if "peer" in run:
            by_peer.setdefault((run["peer"], run["delivery"]), []).append(run)
    return by_peer


def peers(by_peer):
    row(["peer", "delivery", *COLUMNS.values(), "output checked", "runs"])
    row(["---", "---", *["--:"] * len(COLUMNS), "---", "--:"])
    for (peer, delivery), runs in by_peer.items():
        good = [run for run in runs if "failed" not in run]
        cells = [median(good, column) if good else "failed" for column in COLUMNS]
        checked = ", ".join(sorted({run.get("verified", "-") for run in runs}))
        row([peer, delivery, *cells, checked, f"{len(good)} of {len(runs)}"])


def ratios(by_peer, of, baselines):
    """Runs of the same turn are paired: the first of the one with the first of the other, and so on."""
    runs = {peer: found for (peer, _), found in by_peer.items()}
    beside = [peer for peer in (baselines or runs) if peer != of and peer in runs]
    if of not in runs or not beside:
        return
    print()
    row([f"{of} beside", *[COLUMNS[column] for column in RATIOS], "turns"])
    row(["---", *["--:"] * len(RATIOS), "--:"])
    for peer in beside:
        pairs = [pair for pair in zip(runs[of], runs[peer]) if not any("failed" in run for run in pair)]
        cells = [ratio(pairs, column) for column in RATIOS] if pairs else ["failed"] * len(RATIOS)
        row([peer, *cells, len(pairs)])


def ratio(pairs, column):
    return f"{statistics.median(own[column] / other[column] for own, other in pairs):.2f}"


def latencies(results):
    runs = [run for run in results if "latency" in run]
    if not runs:
        return
    print()
    row(["publish to visible", "records/s", *PERCENTILES, "runs"])
    row(["---", "--:", *["--:"] * len(PERCENTILES), "--:"])
    row([runs[0]["latency"], runs[0]["rate"], *[median(runs, column) for column in PERCENTILES], len(runs)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", default="mesh", metavar="PEER")
    parser.add_argument("--beside", action="append", metavar="PEER")
    parser.add_argument("results", nargs="+")
    asked = parser.parse_args()
    found = list(lines(asked.results))
    of_peers = runs_by_peer(found)
    peers(of_peers)
    ratios(of_peers, asked.of, asked.beside)
    latencies(found)
