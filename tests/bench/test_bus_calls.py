# SPDX-License-Identifier: LGPL-2.1-or-later
"""What listing a thousand jobs costs, in calls that do nothing."""

import statistics

import pytest
from benchrig import MANAGER, BenchHost
from client import ROOT
from figures import record
from leanbus import LeanBus

NUMBER = 1000
CALLS = {  # name → (path, interface, member, how often in each round, goal)
    'empty': (ROOT, 'org.freedesktop.DBus.Peer', 'Ping', 200, None),
    'listjobs-1000': (ROOT, MANAGER, 'ListJobs', 10, 100),
    'managedobjects-1000': (ROOT, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects', 3, 1000),
}
ROUNDS = 5


@pytest.mark.limit(240)
def test_listing_in_empty_calls(registry):
    with BenchHost(registry) as host:
        host.jobs(NUMBER)
        host.cold_start(NUMBER)
        host.settle()
        bus = LeanBus(host.address)
        try:
            rounds = [{name: statistics.median(bus.call(path, interface, member) for _ in range(times))
                       for name, (path, interface, member, times, _goal) in CALLS.items()} for _ in range(ROUNDS)]
        finally:
            bus.close()
    empty = min(taken['empty'] for taken in rounds)
    for name, call in CALLS.items():
        if call[4]:
            cost = round(min(taken[name] for taken in rounds) / empty)
            record(name, cost, 'empty calls', f'<= {call[4]}', cost <= call[4])
