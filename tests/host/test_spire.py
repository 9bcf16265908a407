# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source=spiffe with a real SPIRE: its agent attests the worker as systemd runs it, a registry takes what it gives."""

import time

import pytest
import spire
from limits import slow

UNIT = 'systemd:id:pullauth-worker.service'


@pytest.fixture(scope='session')
def programs_of_spire(cache):
    found = spire.find(cache)
    if not found:
        pytest.skip(f'no SPIRE {spire.VERSION} in the cache: tests/host/spire.py says how to get it there')
    return found


@pytest.fixture
def made(product, machine, quay, programs_of_spire):
    """Not started yet."""
    there = spire.Spire(machine, quay, programs_of_spire)
    there.stop()
    yield there
    there.stop()


@pytest.fixture
def running(made):
    made.start()
    return made


def configure(product, there, more=''):
    product.configure()
    product.machine.write('/etc/pullauth/identities/default.identity',
                          f'[Identity]\nSource=spiffe\nSocket=unix://{spire.AGENT_SOCKET}\n'
                          f'Audience={product.quay.audience}\n{more}')
    product.enable()


def trust(product, there, name):
    product.quay.robot('acme+edge', federation=[product.quay.federation_entry(issuer=there.issuer, subject=name)])


def until_fresh(product):
    """The agent asks the server for its entries every few seconds, and has no word for it."""
    end = time.monotonic() + 60 * slow()
    while True:
        job = product.refresh()
        if job['State'] == 'fresh':
            return job
        assert job['Reason'] == 'identity-source-refused' and time.monotonic() < end, job['Message']


def test_a_worker_is_known_by_its_unit_and_podman_pulls(product, running):
    configure(product, running)
    job = product.wait_job(lambda job: job['Reason'] == 'identity-source-refused')
    assert job['RegistryWords'] == 'no identity issued' and UNIT in job['Hint']
    name = running.entry('host/edge-1', UNIT)
    trust(product, running, name)
    job = until_fresh(product)
    assert (job['IdentityIssuer'], job['IdentitySubject']) == (running.issuer, name)
    product.assert_pulls()


def test_a_worker_is_known_by_its_program(product, running):
    name = running.entry('host/by-path', 'unix:path:/usr/libexec/pullauth-worker')
    trust(product, running, name)
    configure(product, running)
    until_fresh(product)
    product.assert_pulls()


def test_one_of_two_identities_is_chosen(product, running):
    name = running.entry('host/edge-1', UNIT)
    other = running.entry('host/other', UNIT)
    trust(product, running, other)
    configure(product, running)
    end = time.monotonic() + 60 * slow()
    while 'several identities' not in product.refresh()['Message']:
        assert time.monotonic() < end
    assert name in product.job()['Message'] and other in product.job()['Message']
    configure(product, running, f'SPIFFEID={other}\n')
    product.call('Reload')
    assert until_fresh(product)['IdentitySubject'] == other


def test_an_agent_that_restarts_is_waited_for(product, running):
    trust(product, running, running.entry('host/edge-1', UNIT))
    configure(product, running)
    until_fresh(product)
    running.stop_agent()
    job = product.refresh()
    assert job['Reason'] == 'identity-source-failed' and job['State'] == 'retrying'
    product.assert_pulls()
    running.start_agent()
    product.wait_job(lambda job: job['State'] == 'fresh')


@pytest.mark.parametrize('jwt, reason, hint', [
    ('jwt_issuer = "https://localhost:1"', 'token-algorithm', 'jwt_key_type'),
    ('jwt_key_type = "rsa-2048"', 'token-claim-missing', 'jwt_issuer'),
])
def test_a_server_as_it_comes_is_told_what_quay_needs(product, made, jwt, reason, hint):
    made.start(jwt)
    made.entry('host/edge-1', UNIT)
    configure(product, made)
    end = time.monotonic() + 60 * slow()
    while product.refresh()['Reason'] != reason:
        assert time.monotonic() < end, product.job()['Message']
    assert hint in product.job()['Hint'] and not product.quay.exchanges()
