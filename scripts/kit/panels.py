"""Compares the dashboard and the alerts with a live scrape: every series that they name must be in it.

    panels.py SCRAPE RULES    writes every query of the dashboard as a rule for promtool to read
Then renames one series in memory, and ends with 1 when nobody notices.
"""

import json
import re
import sys
from pathlib import Path

import yaml

DASHBOARD = "deploy/grafana/hearth.json"
ALERTS = "deploy/prometheus/alerts.yml"
# Named by contract before there is anything to count, or there only where a replica is set.
AWAITED = {"up", "hearth_replica_lag_seconds"}
# Panels that people look for by name.
TITLES = {"API Latency (P95)", "Cache Hit Rate", "Database Pool Utilization"}
WORDS = {"sum", "min", "max", "avg", "count", "topk", "rate", "increase", "histogram_quantile", "by", "time", "and", "or", "unless", "on", "ignoring", "absent", "group_left", "clamp_min"}


def series_of(query):
    """Names of series in a query: what is left without texts, ranges, label lists and words of the language."""
    query = re.sub(r'"[^"]*"', "", query)
    query = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|on|ignoring|group_left) *\([^)]*\)", " ", query)
    return {name for name in re.findall(r"[a-z_]\w*", query) if name not in WORDS}


def queries(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def problems(dashboard, alerts, there):
    found = [f"{DASHBOARD}: no panel {title}" for title in TITLES - {panel["title"] for panel in dashboard["panels"]}]
    for query in queries(dashboard):
        found += [f"{DASHBOARD}: {name} is in no scrape" for name in series_of(query) - there]
    for group in alerts["groups"]:
        for rule in group["rules"]:
            found += [f"{ALERTS}: {name} is in no scrape" for name in series_of(rule["expr"]) - there - AWAITED]
    places = [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
    return found + ([f"{DASHBOARD}: panels lie on each other"] if len(set(places)) < len(places) else [])


def main(scrape, rules):
    there = set(re.findall(r"^(\w+)[{ ]", Path(scrape).read_text(), re.M))
    dashboard, alerts = json.loads(Path(DASHBOARD).read_text()), yaml.safe_load(Path(ALERTS).read_text())
    found = problems(dashboard, alerts, there)
    for name in ("hearth_jobs", "http_request_duration_seconds_bucket"):
        if not problems(dashboard, alerts, there - {name}):
            found.append(f"nobody notices that {name} is missing")
    as_rules = [{"record": f"panel:{number}", "expr": query.replace("$job", "hearth")} for number, query in enumerate(queries(dashboard))]
    Path(rules).write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": as_rules}]}))
    print("\n".join(found) or f"NOTE: {len(as_rules)} queries, {len(there)} series in the scrape")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
