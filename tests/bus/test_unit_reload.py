# SPDX-License-Identifier: LGPL-2.1-or-later
"""ReloadUnit=: who is told when a target changed, how often, and what is said of it when that fails."""

import os
import signal

import pytest
from fakeworker import failure
from privatebus import PrivateBus
from rig import SLOW
from unitmanager import UnitManager

KEY = 'quay.example.com/acme'
FILE = 'etc/ci/auth.json'
DENIED = 'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired'
INTERVAL = 10  # seconds between two requests for one unit


def target(host, units='app.service', more=''):
    host.write('etc/pullauth/targets/ci.target', f'[Target]\nPath=/{FILE}\nReloadUnit={units}\n{more}')


def target_state(host, job='edge'):
    return next(row for row in host.client.job(job)['TargetStates'] if row[0] == 'ci')


def wait_message(host, is_reached):
    host.client.wait_job('edge', TargetStates=lambda rows: any(row[0] == 'ci' and is_reached(row[3]) for row in rows))
    return target_state(host)


@pytest.fixture
def ci(ci):
    target(ci)
    return ci


def manager(host, answer=lambda unit: 'done'):
    made = UnitManager(host.address, answer, SLOW)
    host.stubs.append(made)
    return made


def is_noted(host):
    """A unit is still to be told, by the next run."""
    return b'"reload"' in host.read('var/lib/pullauth/state.json')


def assert_nobody_else(host, units, n):
    """Was or will be told: a request that waits for its time would be noted at the end."""
    assert host.stop() == 0 and not is_noted(host)
    assert len(units.asked) == n


def refresh(host):
    host.client.call('org.pullauth1.Manager', 'RefreshJob', 's', 'edge')


def test_a_unit_is_told_once_its_file_was_written(ci):
    units = manager(ci)
    ci.begin()
    units.wait_asked()
    assert units.asked[0][:2] == ('app.service', 'replace') and len(units.asked) == 1
    assert list(ci.auths(FILE)) == [KEY]
    assert target_state(ci)[2:] == ('published', '')


def test_nobody_is_told_of_a_file_that_stays_as_it_is(ci):
    units = manager(ci)
    ci.begin()
    units.wait_asked()
    units.wait_heard()  # who ends before the answer leaves it to the next run to ask again
    ci.restart()
    ci.client.wait_job('edge', State='fresh')
    assert_nobody_else(ci, units, 1)


def test_nobody_is_told_of_a_file_that_could_not_be_written(ci):
    units = manager(ci)
    os.chmod(ci.path('etc/ci'), 0o555)
    for _ in range(2):
        ci.start()
        ci.client.wait_job('edge', Reason='target-unwritable')
        assert_nobody_else(ci, units, 0)


def test_many_changes_are_few_requests(ci):
    """Each job is a change of the file. The first one is told at once, and the rest together."""
    units = manager(ci)
    ci.begin()
    units.wait_asked()
    for name in ('one', 'two', 'three'):
        ci.job(name, more='Targets=ci\nScopes=acme/' + name + '\n')
        ci.reload()
        ci.client.wait_job(name, State='fresh')
    assert sorted(ci.auths(FILE)) == [KEY, KEY + '/one', KEY + '/three', KEY + '/two']
    units.wait_asked(2)
    times = [time for _unit, _mode, time in list(units.asked)]
    assert all(later - earlier >= INTERVAL * 1000000 for earlier, later in zip(times, times[1:])), times


def test_each_unit_is_told(ci):
    target(ci, 'app.service other@1.service', 'ReloadUnit=third.socket\n')
    units = manager(ci)
    ci.begin()
    units.wait_asked(3)
    assert sorted(row[0] for row in units.asked) == ['app.service', 'other@1.service', 'third.socket']


@pytest.mark.parametrize('answer, words', [
    ((DENIED, 'Interactive authentication required.'), ['polkit does not let', 'pullauth.target(5)']),
    (('org.freedesktop.DBus.Error.AccessDenied', 'no'), ['polkit does not let', 'rule']),
    (('org.freedesktop.systemd1.NoSuchUnit', 'Unit app.service not found.'), ['not found', 'out of ReloadUnit=']),
    (('org.freedesktop.DBus.Error.Failed', 'a\x1bb'), ['a b', 'systemctl status']),
    ('failed', ["'failed'", 'systemctl status']),
    ('timeout', ["'timeout'"]),
])
def test_a_unit_that_cannot_be_reloaded_is_told_of_and_fails_nobody(ci, answer, words):
    manager(ci, lambda unit: answer)
    ci.begin()
    row = wait_message(ci, bool)
    assert row[2] == 'published' and "'app.service'" in row[3] and all(word in row[3] for word in words)
    assert ci.client.job('edge')['State'] == 'fresh' and ci.client.job('edge')['Reason'] == ''
    assert ci.log().count('was not reloaded') == 1


def test_a_unit_that_is_reloaded_again_is_well(ci):
    units = manager(ci, lambda unit: 'failed')
    ci.begin()
    wait_message(ci, bool)
    shown = ci.ctl('status', 'edge').stdout
    assert 'published' in shown and 'was not reloaded' in shown
    units.answer = lambda unit: 'done'
    refresh(ci)
    assert wait_message(ci, lambda message: not message)[2] == 'published'
    assert "'app.service' is reloaded again" in ci.log()


def test_without_a_service_manager_it_is_said(ci):
    ci.begin()
    assert 'was not reloaded' in wait_message(ci, bool)[3]


@pytest.mark.parametrize('result', ['canceled', 'skipped', 'done'])
def test_a_job_that_gives_way_is_no_failure(ci, result):
    units = manager(ci, lambda unit: result)
    ci.begin()
    units.wait_asked()
    refresh(ci)
    units.wait_asked(2)
    units.wait_heard()
    assert target_state(ci)[3] == '' and 'was not reloaded' not in ci.log()


def test_what_is_said_of_other_jobs_is_not_ours(ci):
    units = manager(ci, lambda unit: None)
    ci.begin()
    units.wait_asked()
    units.end('app.service', 'failed', 77)
    units.end('other.service', 'failed')
    units.end('app.service', 'done')
    units.answer = lambda unit: 'failed'
    refresh(ci)
    wait_message(ci, bool)
    assert ci.log().count('was not reloaded') == 1


def test_what_a_bus_took_along_is_asked_for_again(ci):
    """The request was not answered when the bus ended."""
    units = manager(ci, lambda unit: units.HOLD)
    ci.begin()
    units.wait_asked()
    ci.bus.close()
    ci.forget_client()
    ci.bus = PrivateBus(os.path.join(ci.directory, 'bus'), **ci.bus_arguments)
    manager(ci).wait_asked()
    ci.client.wait(ci.client.owner, 'the name on the new bus')
    assert target_state(ci)[3] == '' and 'was not reloaded' not in ci.log()


@pytest.fixture
def owing(ci):
    """A daemon that ended before it had an answer; the next one would get one."""
    ci.units = manager(ci, lambda unit: ci.units.HOLD)
    ci.begin()
    ci.units.wait_asked()
    assert ci.stop() == 0 and is_noted(ci)
    ci.units.answer = lambda unit: 'done'
    return ci


def test_what_was_not_told_before_the_end_is_told_by_the_next_run(owing):
    owing.units.answer = lambda unit: 'failed'  # which shows when it was heard
    owing.start()
    wait_message(owing, bool)
    assert owing.stop() == 0 and not is_noted(owing)
    owing.start()
    assert owing.stop() == 0 and [row[0] for row in owing.units.asked] == ['app.service'] * 2


def test_a_change_that_waits_for_its_turn_outlives_the_daemon(ci):
    """It comes within ten seconds of the first; on a machine that is slower than that it is told before the stop."""
    units = manager(ci)
    ci.begin()
    units.wait_asked()
    ci.job('one', more='Targets=ci\nScopes=acme/one\n')
    ci.reload()
    ci.client.wait_job('one', State='fresh')
    units.wait_heard()
    ci.restart()
    units.wait_asked(2)
    assert [row[0] for row in units.asked] == ['app.service'] * 2


def test_a_daemon_that_is_killed_leaves_word_of_whom_to_tell(ci):
    units = manager(ci, lambda unit: units.HOLD)
    ci.begin()
    units.wait_asked()
    ci.stop(signal.SIGKILL)
    assert is_noted(ci)
    units.answer = lambda unit: 'done'
    ci.start()
    units.wait_asked(2)
    ci.client.poll(lambda: not is_noted(ci), 'an end of the note')
    ci.stop(signal.SIGKILL)
    ci.start()
    assert_nobody_else(ci, units, 2)


def test_a_daemon_that_is_killed_after_it_removed_a_file_leaves_word_too(ci):
    ci.write('etc/pullauth/templates/own.env', 'secret=%s\n')
    target(ci, more='Template=own.env\n')
    units = manager(ci)
    ci.begin()
    units.wait_asked()
    units.wait_heard()
    ci.client.poll(lambda: not is_noted(ci), 'an end of the note')
    units.answer = lambda unit: units.HOLD
    ci.worker.answer = lambda request: failure('robot-unknown')
    ci.job(robot='acme+other', more='Targets=ci\n')
    ci.reload()
    ci.wait_file(FILE, lambda: not os.path.exists(ci.path(FILE)))
    ci.stop(signal.SIGKILL)
    assert is_noted(ci)


def test_after_a_boot_each_unit_was_started_anew(owing):
    owing.reboot()
    owing.start()
    assert owing.stop() == 0 and len(owing.units.asked) == 1 and not is_noted(owing)


def test_a_unit_that_no_target_names_any_more_is_not_told(owing):
    target(owing, 'other.service')
    owing.start()
    assert owing.stop() == 0 and len(owing.units.asked) == 1 and not is_noted(owing)


@pytest.mark.parametrize('value, complaint', [
    ('app', "'app' in ReloadUnit="), ('a/b.service', 'ReloadUnit=app.service'), ('app@.service', 'is not valid'),
    ('*.service', 'is not valid'), (' '.join(f'u{n}.service' for n in range(17)), 'more than 16'),
])
def test_names_that_are_none_are_refused(ci, value, complaint):
    target(ci, value)
    ci.start()
    job = ci.client.wait_job('edge', Reason='configuration-invalid')
    assert 'ci.target:3' in job['Message'] and complaint in job['Message']
