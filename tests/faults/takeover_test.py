#!/usr/bin/env python3
"""Two daemons share the partitions of one Redis; when one is killed, the other does its work within two seconds.
Usage: takeover_test.py BILLD BACKDATE."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import processes

LIMIT = 2.0
ACCOUNTS, DAYS = 200, 40


def shares(daemon):
    """How many partitions each daemon has, by name."""
    owners = {}
    for partition in daemon.status()["partitions"]:
        owners[partition["owner"]] = owners.get(partition["owner"], 0) + 1
    return owners


def run(billd, backdate, folder):
    redis = processes.Redis(folder)
    try:
        settings = {"redis.address": f"unix:{redis.socket}", "billing.invoice_finalize_delay": "0s",
                    "billing.charge_resolve_after": "1s"}
        slow = {**settings, "gateways.test.latency": "50ms", "jobs.in_flight_max": "16", "jobs.batch_max": "16"}
        subprocess.run([backdate, str(ACCOUNTS), str(DAYS), f"state_directory={folder / 'writer'}",
                        f"redis.address=unix:{redis.socket}"], check=True, timeout=120)
        victim = processes.Daemon(billd, folder, "victim", **slow)
        heir = processes.Daemon(billd, folder, "heir", **slow)
        for daemon in (victim, heir):
            daemon.start()
        for daemon in (victim, heir):
            daemon.wait_until_serving()
        processes.wait_until(lambda: shares(heir) == {"victim": 8, "heir": 8}, 30, "the partitions are not shared")
        assert not processes.is_all_done(heir), "the work was done before anybody could be killed"

        victim.kill()
        killed = time.monotonic()
        processes.wait_until(lambda: shares(heir) == {"heir": 16}, 30, "the partitions are not taken over")
        took = time.monotonic() - killed
        assert heir.stop() == 0, heir.log_end()
        heir.settings = settings
        heir.start()
        heir.wait_until_serving()
        processes.wait_until(lambda: processes.is_all_done(heir), 90, "not everything is done")
        assert heir.stop() == 0, heir.log_end()
        status, report = heir.verify()
        assert status == 0, f"verify finds:\n{report}"
        print(f"the last partition was taken over {took:.2f} s after the kill")
        assert took < LIMIT, f"the takeover took {took:.2f} s"
    finally:
        processes.end_all()
        redis.end()


def main():
    billd, backdate = (os.path.abspath(path) for path in sys.argv[1:])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="billd-takeover-"))
    try:
        run(billd, backdate, folder)
        shutil.rmtree(folder)
    except BaseException:
        print(f"state and logs are in {folder}", file=sys.stderr, flush=True)
        raise


if __name__ == "__main__":
    main()
