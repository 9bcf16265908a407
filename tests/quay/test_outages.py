# SPDX-License-Identifier: LGPL-2.1-or-later
"""Registry, issuer, certificates and names that fail for a while: the credential stays to its end, then it is
withdrawn, and it comes back by itself. Hours pass in virtual time."""

import time

import pytest
from world import CA_FILE, ROOT, WRAPPER, World, timers, world  # noqa: F401

# Kinds of trouble, and the reason they are seen by.
DOWN = {
    'registry': lambda quay: quay.call('quay', listening=False),
    'registry errs': lambda quay: quay.misbehave('answer', '/oauth2/*', status=503, body='upstream connect error'),
    'registry is too busy': lambda quay: quay.misbehave('answer', '/oauth2/*', status=429,
                                                        headers={'Retry-After': '90'}),
    'registry is read-only': lambda quay: quay.settings(read_only=True),
    'certificate has ended': lambda quay: quay.call('quay', certificate='expired'),
    'certificate of a stranger': lambda quay: quay.call('quay', certificate='untrusted'),
    'certificate for another host': lambda quay: quay.call('quay', certificate='wrong-name'),
    'issuer': lambda quay: quay.call('issuer', listening=False),
    'issuer is not trusted': lambda quay: quay.call('issuer', certificate='untrusted'),
    'issuer has lost its keys': lambda quay: quay.call('issuer', published=['ec']),
    'federation is gone': lambda quay: quay.robot('acme+edge', federation=[]),
}
REASONS = {
    'registry': 'connection-failed', 'registry errs': 'registry-error', 'registry is too busy': 'rate-limited',
    'registry is read-only': 'registry-read-only', 'certificate has ended': 'tls-certificate-dates',
    'certificate of a stranger': 'tls-untrusted', 'certificate for another host': 'tls-host-mismatch',
    'issuer': 'registry-closed', 'issuer is not trusted': 'registry-closed',
    'issuer has lost its keys': 'registry-error',
    'federation is gone': 'federation-not-configured',
}
# docs/failures.md: the most attempts of an hour that may be the first one
BUDGET = {'connection-failed': 39, 'registry-error': 33, 'rate-limited': 31, 'registry-read-only': 33,
          'tls-certificate-dates': 14, 'tls-untrusted': 14, 'tls-host-mismatch': 14, 'registry-closed': 33,
          'federation-not-configured': 6}


def go_on(world):
    """All is well again."""
    world.quay.reset(clock_offset=world.passed)


@pytest.mark.parametrize('trouble', DOWN)
def test_an_outage_of_an_hour_and_more_is_ridden_out(world, trouble):
    reason = REASONS[trouble]
    fresh, before = world.fresh(), world.password()
    DOWN[trouble](world.quay)
    world.advance(world.left(fresh) - 5)
    job, waits, without = fresh, [], 0
    while sum(waits) < 4000:
        job, waited = world.next_attempt()
        waits.append(waited)
        assert job['Reason'] == reason and job['Hint'] and job['Refreshes'] == 1
        standing, left = world.password(), world.left(fresh, 'Expires')
        if left > 5:
            assert job['State'] == 'retrying' and standing == before and job['Expires'] == fresh['Expires']
        elif left < -5:
            without += 1
            world.client.wait_job('edge', State='failed' if 'federation' in reason else 'expired', Expires=0)
            world.wait_withdrawn()
    assert without > 0
    attempts, passed = 0, 0
    for waited in waits:
        passed += waited
        attempts += passed < 3600
    assert 1 <= attempts <= BUDGET[reason], waits
    go_on(world)
    job, _ = world.next_attempt()
    assert job['State'] == 'fresh' and world.is_good() and world.password() != before
    assert job['FailuresInARow'] == 0 and job['Reason'] == ''


@pytest.mark.skipif(not ROOT or bool(WRAPPER), reason='needs the process itself')
def test_what_ends_is_withdrawn_at_that_moment_and_not_a_minute_later(world):
    """By what the kernel is told, for a machine may be slow by seconds."""
    job = world.fresh()
    # Nothing else shall wake up the daemon then: no attempt, no worker that leaves.
    world.write('etc/pullauth/jobs/edge.job', '[Job]\nRegistry=https://wrong\n')
    world.restart()
    assert world.client.wait_job('edge', State='failed')['NextAttempt'] == 0

    def is_set():
        before = world.left(job, 'Expires')
        left = list(timers(world.daemon.pid, time.CLOCK_BOOTTIME))
        return any(world.left(job, 'Expires') - 2 < seconds < before + 1 for seconds in left)
    world.client.poll(is_set, 'a timer for the end')  # behind that of the last save
    world.advance(world.left(job, 'Expires') + 0.1)
    world.wait_withdrawn()


def test_a_registry_that_is_started_anew_costs_nothing(world):
    world.fresh()
    before = world.password()
    world.quay.call('quay', listening=False)
    job = world.refresh()
    assert job['Reason'] == 'connection-failed' and world.left(job) <= 5 and world.password() == before
    world.quay.call('quay', listening=True)
    job, _ = world.next_attempt()
    assert job['State'] == 'fresh' and world.is_good()


def test_a_new_certificate_of_the_same_authority_is_no_event(world):
    world.fresh()
    world.quay.call('quay', certificate='renewed')
    assert world.refresh()['State'] == 'fresh' and world.is_good()


def authorities(world, *names):
    texts = []
    for name in names:
        with open(f'{world.quay.directory}/{name}.pem', encoding='ascii') as file:
            texts.append(file.read())
    world.write(CA_FILE, ''.join(texts))


def test_authorities_that_are_changed_in_good_order_are_not_noticed(world):
    """First both are trusted, then the registry changes, then the old one goes."""
    world.fresh()
    authorities(world, 'ca', 'other-ca')
    assert world.refresh()['State'] == 'fresh'
    world.quay.call('quay', certificate='untrusted')
    assert world.refresh()['State'] == 'fresh'
    authorities(world, 'other-ca')
    assert world.refresh()['State'] == 'fresh'
    assert world.client.job('edge', 'Refreshes') == 4


def test_an_authority_that_comes_too_late_is_used_as_soon_as_it_is_there(world):
    world.fresh()
    before = world.password()
    world.quay.call('quay', certificate='untrusted')
    job = world.refresh()
    assert (job['State'], job['Reason']) == ('retrying', 'tls-untrusted') and world.password() == before
    authorities(world, 'other-ca')
    world.client.wait_job('edge', State='fresh')
    assert world.password() != before and world.client.job('edge', 'AttemptsStarted') == job['AttemptsStarted'] + 1


def test_names_that_fail_at_the_start_are_found_by_and_by(world):
    """utilitywarehouse/tf_kube_ignition#148: failed in spite of network-online.target."""
    name = 'registry.example'
    registry = f'{name}:{world.quay.quay.rsplit(":", 1)[1]}'
    world.quay.settings(server_hostname=registry)
    world.job(registry=registry)
    world.start()
    job = world.client.wait_job('edge', State='expired', Reason='name-resolution')
    assert name in job['Message']
    for _ in range(3):
        job, waited = world.next_attempt()
        assert job['Reason'] == 'name-resolution' and waited <= 40
    world.write(f'names/{name}', '')
    job, _ = world.next_attempt()
    assert job['State'] == 'fresh' and world.password(f'{registry}/acme')
