# SPDX-License-Identifier: LGPL-2.1-or-later
"""A hundred thousand hosts in virtual time: what never happens, what they cost a registry, and that docs/fleet.md
shows what this tree does.

Everything here is the outcome of integers and a seed; nothing measures this machine.
"""

import os

import pytest

import report
from figures import record

SCENARIOS = report.SPREAD + report.OUTAGES


@pytest.fixture(scope='session')
def runs(fleet):
    return {name: fleet(name) for name in SCENARIOS}


@pytest.mark.parametrize('scenario', SCENARIOS)
def test_no_due_time_lies_behind_an_expiry_and_no_wait_is_endless(fleet, scenario):
    run = fleet(scenario)
    assert run['violations'] == 0
    assert run['attempts'] == run['successes'] + run['failures']


@pytest.mark.parametrize('scenario', SCENARIOS)
def test_nobody_starves(fleet, scenario):
    run = fleet(scenario)
    assert run['failing_at_end'] == 0
    # Each host refreshed in each period, but for what an outage took.
    assert run['successes'] > run['hosts'] * (run['hours_n'] * 3600 / report.PERIOD - 1.5)


@pytest.mark.parametrize('scenario', report.SPREAD)
def test_without_an_outage_nobody_runs_out(fleet, scenario):
    assert fleet(scenario)['expired'] == 0


@pytest.mark.parametrize('scenario', ['switched-on', 'outage'])
def test_a_seed_gives_the_same_run_each_time(simulated, scenario):
    once = simulated(scenario, hosts=2000, seed=7)
    assert once == simulated(scenario, hosts=2000, seed=7)
    assert once['digest_right'] != simulated(scenario, hosts=2000, seed=8)['digest_right']


def test_wrong_clocks_change_no_due_time(fleet):
    """Neither that of a host whose own clock is off by hours, nor those of its neighbours."""
    right, wrong = fleet('switched-on'), fleet('clocks')
    assert wrong['digest_off'] == right['digest_off']
    assert wrong['digest_right'] == right['digest_right']
    assert wrong['failures'] > 0


def test_hosts_that_an_outage_parted_are_spread_as_before(runs):
    for name in report.OUTAGES:
        hours = runs[name]['hours']
        assert max(hours[8:]) <= max(hours[1:6]) * 1.15


def test_after_an_outage_all_are_served_within_the_bound(runs):
    for name in report.OUTAGES:
        assert 0 < report.recovery_time(runs[name]) <= report.recovery_bound(runs[name])


@pytest.mark.parametrize('of', [2, 4, 8])
def test_with_more_or_less_to_spare_the_bound_holds_as_well(fleet, of):
    run = fleet('outage', f'--capacity-of={of}')
    assert report.recovery_time(run) <= report.recovery_bound(run)


def test_nobody_runs_out_if_outage_and_backlog_are_over_before_the_credentials_are(fleet):
    run = fleet('outage', '--outage=10')
    assert 600 + report.recovery_bound(run) < 21 * 60
    assert run['failures'] > 0
    assert run['expired'] == 0


def test_after_the_power_came_back_all_are_served_within_the_bound(runs):
    run = runs['switched-on-limited']
    assert 0 < run['recovered'] <= report.start_bound(run)


def test_figures_are_recorded(runs):
    ratio = report.peak_ratio(runs['switched-on'])
    record('fleet-peak-ratio', round(ratio, 3), '', '<= 1.15', ratio <= 1.15)
    for name in ('clocks', 'reissued'):
        ratio = report.peak_ratio(runs[name])
        record(f'fleet-peak-ratio-{name}', round(ratio, 3), '', '<= 1.15', ratio <= 1.15)
    # The goal is for the worst thing a registry may say when it has enough.
    ratio = max(report.recovery_ratio(runs[name]) for name in report.OUTAGES)
    record('fleet-recovery-ratio', round(ratio, 3), '', '<= 4', ratio <= 4)
    for name in report.OUTAGES:
        ratio = report.recovery_ratio(runs[name])
        record(f'fleet-recovery-ratio-{name}', round(ratio, 3), '', '<= 4', ratio <= 4)
    worst = max((runs[name] for name in report.OUTAGES), key=report.recovery_time)
    record('fleet-recovery-time', report.recovery_time(worst), 's', f'<= {report.recovery_bound(worst):.0f}',
           report.recovery_time(worst) <= report.recovery_bound(worst))


def test_the_page_shows_this_tree(runs):
    """PULLAUTH_UPDATE=1 writes table and plots into docs instead of comparing."""
    plots = report.plots(runs)
    built = os.path.join(os.environ['PULLAUTH_BUILD'], 'fleet')
    os.makedirs(built, exist_ok=True)
    report.write(built, plots)
    page = report.page_with(report.tables(runs))
    if os.environ.get('PULLAUTH_UPDATE'):
        report.write(report.DOCS, {**plots, 'fleet.md': page})
    stale = [name for name, content in {**plots, 'fleet.md': page}.items() if read(name) != content]
    assert not stale, f'{stale} in docs are of another schedule: PULLAUTH_UPDATE=1 tools/check fleet'


def read(name):
    try:
        with open(os.path.join(report.DOCS, name), encoding='utf-8') as text:
            return text.read()
    except FileNotFoundError:
        return None
