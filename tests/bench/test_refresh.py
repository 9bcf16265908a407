# SPDX-License-Identifier: LGPL-2.1-or-later
"""One refresh of one job, worker start and exit counted, against a script that does the same."""

import pytest
from benchrig import MANAGER, BenchHost
from figures import record
from peer import script
from registry import LIFETIME

ROUNDS = 8


def refresh(host):
    """Seconds of processor time of both processes. The daemon waits for its shortest interval by itself."""
    host.registry.renew(LIFETIME + host.activated.starts())
    before, runs, refreshes = host.cpu(), host.activated.starts(), host.client.job('r0', 'Refreshes')
    host.client.call(MANAGER, 'RefreshAll')
    host.activated.wait_end(runs + 1, 60)
    assert host.client.job('r0', 'Refreshes') == refreshes + 1
    return host.cpu() - before


@pytest.mark.limit(240)
def test_a_refresh_against_a_script(registry, tmp_path):
    script(registry, str(tmp_path))
    with BenchHost(registry, idle='20ms') as host:
        host.jobs(1)
        host.start()
        host.client.wait_job('r0', State='fresh')
        host.activated.wait_end(1, 60)
        rounds = [(refresh(host), script(registry, str(tmp_path))) for _ in range(ROUNDS)]
    ours, theirs = (min(column) for column in zip(*rounds))
    record('refresh-cpu-ratio', round(ours / theirs, 3), '', '<= 0.167 (1/6)', ours <= theirs / 6)
    record('refresh-cpu', round(ours * 1000, 2), 'ms', '', True)
    record('refresh-cpu-script', round(theirs * 1000, 2), 'ms', '', True)
