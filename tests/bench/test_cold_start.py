# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thousand jobs that have nothing yet, ten thousand of them, and what the two processes are then."""

import pytest
from benchrig import PODMAN, SYSTEM, BenchHost, Writes, memory
from figures import record
from peer import curl_jobs, curl_pattern

ROUNDS = 5
MANY, MOST = 1000, 10000


class Start:
    """One cold start. `seconds`, `writes` of the target that has more of them, resident MiB of the daemon once all is
    quiet and of the worker at its peak."""

    def __init__(self, registry, number):
        with BenchHost(registry, idle='8s') as host:
            host.jobs(number)
            targets = [Writes(host.path(target)) for target in (SYSTEM, PODMAN)]
            try:
                self.seconds = host.cold_start(number)
                worker = host.worker_pid  # gone already where the last writing takes longer than it waits
                self.worker_now, self.worker_peak = (memory(worker, what) for what in ('VmRSS', 'VmHWM')) \
                    if worker else (0, 0)
                self.writes = max(target.count() for target in targets)
                assert len(host.auths()) == number
                host.settle()
                self.resident, self.processor = memory(host.daemon.pid), host.cpu()
            finally:
                for target in targets:
                    target.close()


def best(runs):
    return min(run.seconds for run in runs)


@pytest.fixture(scope='module')
def thousands(registry, tmp_path_factory):
    """Each round has one of each, so that all have the same chances on a machine that is not quiet."""
    directory = str(tmp_path_factory.mktemp('curl'))
    curl_jobs(registry, directory, 50)
    rounds = [(curl_jobs(registry, directory, MANY), curl_pattern(registry, directory, MANY), Start(registry, MANY))
              for _ in range(ROUNDS)]
    return [list(column) for column in zip(*rounds)]


@pytest.mark.limit(600)
def test_a_thousand_jobs_against_curl(thousands):
    jobs, pattern, starts = thousands
    ratio = round(best(starts) / min(jobs), 2)
    record('cold-start-1000-ratio', ratio, '', '<= 1.1', ratio <= 1.1)
    record('cold-start-1000-pattern-ratio', round(best(starts) / min(pattern), 2), '', '', True)
    spread = round(max(start.seconds for start in starts) / best(starts), 2)
    record('cold-start-1000-spread', spread, '', '', True)
    writes = max(start.writes for start in starts)
    assert writes >= 1
    record('cold-start-1000-writes', writes, 'writes', '<= 20', writes <= 20)


@pytest.mark.limit(300)
def test_a_thousand_jobs_over_http_1(registries, tmp_path):
    """A registry behind a front end without HTTP/2."""
    registry = registries(http2=False)
    rounds = [(curl_jobs(registry, str(tmp_path), MANY), Start(registry, MANY)) for _ in range(2)]
    ratio = round(min(run[1].seconds for run in rounds) / min(run[0] for run in rounds), 2)
    record('cold-start-1000-http1-ratio', ratio, '', '', True)


def test_memory_with_a_thousand_jobs(thousands):
    starts = thousands[2]
    resident = round(max(start.resident for start in starts), 1)
    record('rss-1000', resident, 'MiB', '<= 8', resident <= 8)
    peak = round(max(start.worker_peak for start in starts), 1)
    assert peak > 0
    record('worker-rss-batch', peak, 'MiB', '<= 20', peak <= 20)


@pytest.mark.limit(120)
def test_memory_with_one_job(registry):
    start = Start(registry, 1)
    record('rss-1', round(start.resident, 1), 'MiB', '<= 4', start.resident <= 4)
    assert start.worker_now > 0
    record('worker-rss', round(start.worker_now, 1), 'MiB', '<= 13', start.worker_now <= 13)


@pytest.mark.limit(600)
def test_ten_thousand_jobs(registry, thousands):
    starts = [Start(registry, MOST) for _ in range(2)]
    # The best of many is better than that of few: as many of each.
    fewer = thousands[2][:len(starts)]
    ratio = round(best(starts) / best(fewer), 1)
    record('growth-ratio', ratio, '', '<= 11', ratio <= 11)
    processor = min(start.processor for start in starts) / min(start.processor for start in fewer)
    record('growth-cpu-ratio', round(processor, 1), '', '', True)
    resident = round(max(start.resident for start in starts), 1)
    record('rss-10000', resident, 'MiB', '<= 32', resident <= 32)
