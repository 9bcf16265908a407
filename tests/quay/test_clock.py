# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clocks that are wrong, that are set, and that went on while the host slept."""

import time

import pytest
from test_outages import DOWN, go_on
from world import DAY, World, world  # noqa: F401

STEPS = pytest.mark.parametrize('step', [3600, -3600, DAY, -DAY], ids=['1 h', '-1 h', '1 day', '-1 day'])


def after_step(world, step, before):
    """Once it is seen that the step was noticed. What is shown of times moved with the clock."""
    world.clock.step(step)
    moved = {key: before[key] + step * 10**6 for key in ('NextAttempt', 'Expires') if before[key]}
    job = world.client.wait_job('edge', **{
        key: lambda value, wanted=wanted: abs(value - wanted) < 2 * 10**6 for key, wanted in moved.items()})
    assert (job['State'], job['Reason'], job['AttemptsStarted']) == \
        (before['State'], before['Reason'], before['AttemptsStarted'])
    return job


def waits_a_minute(world, job):
    """At most, from the end of an attempt on, which lies between its begin and now."""
    assert 30 <= (job['NextAttempt'] - job['LastAttempt']) / 10**6 and world.left(job) <= 61


def test_a_host_without_a_clock_starts_and_is_served_once_it_is_set(world):
    """slackhq/nebula#732, #797: a start in 1970 used up the starts of the service, and setting the clock was no help.
    """
    world.clock.step(-int(time.time()) + 1000)
    world.start()
    job = world.client.job('edge')
    assert (job['State'], job['Reason'], job['Step']) == ('expired', 'tls-certificate-dates', 'exchange')
    waits_a_minute(world, job)
    assert 'clock' in job['Hint']
    assert world.auths() is None and not world.quay.exchanges()
    world.clock.step(time.time() - world.clock.now())
    job = world.client.wait_job('edge', State='fresh')
    assert world.is_good() and 59 * 60 < world.left(job, 'Expires') < 61 * 60


def test_a_clock_that_starts_decades_ahead_can_be_set_back(world):
    world.clock.step(43 * 365 * DAY)
    world.start()
    assert world.client.job('edge')['Reason'] == 'token-expired'
    world.clock.step(-43 * 365 * DAY)
    world.client.wait_job('edge', State='fresh')
    assert world.is_good()


def test_a_credential_that_is_found_in_1970_is_kept_until_the_clock_tells_its_age(world):
    """Azure/iotedge#4062: the date of 1970 was taken for a refusal, and all modules were removed."""
    world.fresh()
    before = world.password()
    world.stop()
    world.everywhere(1800)
    world.clock.step(-int(time.time()) + 1000)
    world.advance(2)  # the worker lives through this reboot, its connections should not
    world.reboot()
    world.start()
    job = world.client.wait_job('edge', State='retrying')
    assert job['Reason'] == 'tls-certificate-dates' and job['AttemptsStarted'] == 1
    assert world.password() == before and world.is_good()
    DOWN['registry'](world.quay)
    world.clock.step(time.time() + 1800 - world.clock.now())
    job = world.client.wait_job('edge', State='retrying', Reason='connection-failed',
                                Expires=lambda t: 25 * 60 < t / 10**6 - world.clock.now() < 31 * 60)
    assert world.password() == before
    # A restart does not give it its whole life again.
    world.restart()
    assert 25 * 60 < world.left(world.client.wait_job('edge', State='retrying'), 'Expires') < 31 * 60
    world.advance(30 * 60)
    world.client.wait_job('edge', State='expired')
    world.wait_withdrawn()


@pytest.mark.parametrize('start', ['1970', 'when it was switched off'])
def test_what_ended_while_the_host_was_off_goes_once_the_clock_is_set(world, start):
    """A host without a battery wakes up in 1970, or with the time that was saved when it was switched off."""
    world.fresh()
    before = world.password()
    world.stop()
    world.everywhere(7200)
    world.reboot()
    DOWN['registry'](world.quay)
    if start == '1970':
        world.clock.step(-int(time.time()) + 1000)
    world.start()
    world.client.wait_job('edge', State='retrying' if start == '1970' else 'fresh')
    assert world.password() == before
    world.clock.step(time.time() + 7200 - world.clock.now())
    job = world.client.wait_job('edge', State='expired', Reason='connection-failed')
    world.wait_withdrawn()
    go_on(world)
    job, _ = world.next_attempt()
    assert job['State'] == 'fresh' and world.is_good()


@pytest.mark.parametrize('wrong', [-7200, 7200], ids=['behind', 'ahead'])
def test_a_clock_that_was_set_after_a_refresh_brings_none_forward_at_the_next_boot(world, wrong):
    world.clock.step(wrong)
    due = world.left(after_step(world, -wrong, world.fresh()))
    world.stop()
    world.reboot()
    world.start()
    job = world.client.wait_job('edge', State='fresh')
    assert job['AttemptsStarted'] == 0 and abs(world.left(job) - due) < 60


@STEPS
def test_a_step_while_all_is_well_changes_nothing_but_what_is_shown(world, step):
    before, secret = world.fresh(), world.password()
    left = world.left(before)
    job = after_step(world, step, before)
    assert world.password() == secret and job['State'] == 'fresh'
    after, waited = world.next_attempt()
    assert after['State'] == 'fresh' and abs(waited - left) < 60
    assert world.password() != secret and world.is_good() and after['Refreshes'] == 2
    assert abs(after['ClockSkew'] / 10**6 + step) < 60


@STEPS
def test_a_step_while_an_outage_is_ridden_out_ends_no_wait_and_no_credential(world, step):
    world.fresh()
    secret = world.password()
    DOWN['registry is too busy'](world.quay)  # for long: no attempt comes by itself meanwhile
    before = world.refresh()
    assert (before['State'], before['Reason']) == ('retrying', 'rate-limited')
    after_step(world, step, before)
    assert world.password() == secret and world.is_good()
    go_on(world)
    assert world.next_attempt()[0]['State'] == 'fresh' and world.is_good()


@STEPS
def test_a_step_after_the_end_ends_no_wait_and_brings_nothing_back(world, step):
    world.fresh()
    DOWN['registry is too busy'](world.quay)
    world.advance(3600)
    before = world.client.wait_job('edge', State='expired', Reason='rate-limited')
    world.wait_withdrawn()
    after_step(world, step, before)
    assert world.auths() == {}
    go_on(world)
    assert world.next_attempt()[0]['State'] == 'fresh' and world.is_good()


@pytest.mark.parametrize('passed, state', [(0, 'retrying'), (3600, 'expired')])
def test_a_clock_that_is_put_right_ends_the_wait_for_it(world, passed, state):
    """By forty days: the certificate of the registry has ended then."""
    # A daemon that hears of it after its attempt would have another one for that.
    after_step(world, 40 * DAY, world.fresh())
    world.advance(passed)
    if not passed:
        world.refresh()
    job = world.client.wait_job('edge', State=state, Reason='tls-certificate-dates')
    waits_a_minute(world, job)
    if state == 'expired':
        world.wait_withdrawn()
    else:
        assert world.password()
    world.clock.step(-40 * DAY)
    world.client.wait_job('edge', State='fresh')
    assert world.is_good() and world.client.job('edge', 'AttemptsStarted') == job['AttemptsStarted'] + 1


def test_a_storm_of_steps_is_no_storm_of_attempts(world):
    world.clock.step(-int(time.time()) + 1000)
    world.start()
    for number in range(200):
        shown = world.client.job('edge', 'NextAttempt')
        world.clock.step(10 + number)
        world.client.wait_job('edge', NextAttempt=lambda t, shown=shown: t not in (0, shown))
    assert world.client.job('edge', 'AttemptsStarted') <= 14  # docs/failures.md, class clock


def test_what_ends_in_a_suspend_is_withdrawn_and_replaced_when_the_host_resumes(world):
    """huacnlee/omamail#238: a cache on another clock served what had ended in five hours of sleep."""
    world.fresh()
    before = world.password()
    world.suspend(5 * 3600)
    job = world.client.wait_job('edge', State='fresh', Refreshes=2)
    assert world.password() != before and world.is_good()
    assert job['AttemptsStarted'] == 2 and world.left(job, 'Expires') > 3500


def test_what_ends_in_a_suspend_is_withdrawn_also_if_nobody_can_be_asked(world):
    world.fresh()
    DOWN['registry'](world.quay)
    world.suspend(5 * 3600)
    job = world.client.wait_job('edge', State='expired', Reason='connection-failed')
    assert world.left(job) < 11
    world.wait_withdrawn()
    go_on(world)
    job, _ = world.next_attempt()
    assert job['State'] == 'fresh'


def test_what_came_due_in_a_suspend_is_replaced_at_once(world):
    world.fresh()
    world.suspend(50 * 60)
    job = world.client.wait_job('edge', State='fresh', Refreshes=2)
    assert job['AttemptsStarted'] == 2 and not [line for line in world.log().splitlines() if 'withdrawn' in line]


@pytest.mark.parametrize('hours', [0.2, 3])
def test_a_suspend_in_the_middle_of_an_attempt_ends_it(world, hours):
    """rossoctl/rossoctl#1899. The worker's own limit counts the sleep."""
    world.fresh()
    before = world.password()
    rule = world.quay.misbehave('hang', '/oauth2/*')
    world.advance(5)
    world.client.call('org.pullauth1.Manager', 'RefreshAll')
    world.quay.exchanges(at_least=2)
    heard = len(world.client.signals)
    world.suspend(hours * 3600)
    # A few seconds later the next attempt hangs as well.
    job = world.told('edge', heard, State='expired' if hours > 1 else 'retrying')
    assert job['Reason'] == 'timeout'
    if hours > 1:
        world.wait_withdrawn()
    else:
        assert world.password() == before
    world.quay.behave(rule)
    assert world.next_attempt()[0]['State'] == 'fresh' and world.is_good()
