"""DuckDB on the workload of the benchmarks: `python3 duckdb_rows.py FOLDER WORK AGENTS POOLS` prints a row of JSON.

The tables are in memory, the text columns as enums; the query is the policy as a user of SQL would write it, and gives count and
best ten in one statement. One thread, CPU time of the process, the median of repeated runs.
"""

import json
import os
import sys
import time

import duckdb

BUDGET = 2.0


def measure(run):
    """Median and least CPU nanoseconds, how many samples, and what the last run gave."""
    samples, spent = [], 0.0
    while len(samples) < 3 or (spent < BUDGET and len(samples) < 50):
        start = time.process_time_ns()
        result = run()
        samples.append(time.process_time_ns() - start)
        spent += samples[-1] / 1e9
    samples.sort()
    return samples[len(samples) // 2], samples[0], len(samples), result


def main():
    folder, work, _agents, _pools = sys.argv[1:]
    if work not in ("W1", "W2", "W5", "W6", "W9"):
        return
    with open(os.path.join(folder, "need.json"), encoding="utf-8") as file:
        need = json.load(file)
    database = duckdb.connect(":memory:", config={"threads": 1})
    for table in ("agents", "pools"):
        path = os.path.join(folder, table + ".csv")
        database.execute(f"create table raw_{table} as select * from read_csv('{path}', header = true)")
    for name in ("region", "zone"):
        database.execute(
            f"create type {name}_name as enum (select distinct {name} from (select {name} from raw_agents"
            f" union select {name} from raw_pools) where {name} is not null)"
        )
    database.execute(
        "create table agents as select * replace (region::region_name as region, zone::zone_name as zone,"
        " string_split(drivers, ' ') as drivers) from raw_agents"
    )
    database.execute(
        "create table pools as select * replace (region::region_name as region, zone::zone_name as zone) from raw_pools"
    )
    regions = ", ".join(f"'{region}'" for region in need["regions"])
    conditions = [
        f"a.{key} >= {need[key]}" for key in ("cpus", "mem", "disk", "ports") if need[key] > 0
    ] + [
        f"p.{key} >= {need[key]}" for key in ("size", "iops", "replicas")
    ] + [
        f"p.media = '{need['media']}'",
        "a.region = p.region",
        "(p.driver is null or list_contains(a.drivers, p.driver))",
        "(p.vlan is null or p.vlan = a.vlan)",
    ]
    if regions:
        conditions.append(f"a.region in ({regions})")
    if need["net"]:
        conditions.append("a.net >= p.min_net")
    score = (
        "0"
        if need["flat"]
        else "1000 * (a.zone = p.zone)::int + 300 * a.infiniband::int + 100 * p.replicas + 10 * p.tier - a.cpus"
    )
    feasible = f"select {score} as score, a.id as agent, p.id as pool from agents a, pools p where " + " and ".join(
        conditions
    )
    if work == "W6":
        nanos, least, samples, result = measure(lambda: database.execute(feasible).fetchnumpy())
        row = {"count": len(result["agent"]), "note": "score and rows"}
    else:
        query = (
            f"with f as materialized ({feasible}) select (select count(*) from f), score, agent, pool from f"
            " order by score desc, agent, pool limit 10"
        )
        nanos, least, samples, result = measure(lambda: database.execute(query).fetchall())
        top = [list(one[1:]) for one in result]
        row = {"count": result[0][0] if result else 0, "top": top, "note": ""}
    print(json.dumps({"system": "DuckDB", "nanos": nanos, "least": least, "samples": samples, **row}))


main()
