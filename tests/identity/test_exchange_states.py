# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exchange=token and Exchange=oauth2, daemon and worker as they are: what can go wrong at the registry, at the token
service and with the token, met by a job that has a credential and by one that has none. What is said, when it is tried
again, and what stands in the target; tests/quay/test_states.py is the same for Quay."""

import os
import time

import pytest
from test_exchange_oauth2 import Registry as OpaqueRegistry, TokenService
from test_exchange_token import Registry as TokenRegistry
from test_states import FIRST_WAIT
from workers import SLOW
from world import SYSTEM, World

pytestmark = pytest.mark.limit(120)
HOUR = 3600
HAVE, NEW = 'have', 'new'
# reason → class, and a piece of the hint where the registry failed, and where the token service did
REASONS = {
    'timeout': ('transport', 'the registry is well', 'is well, and'),
    'connection-failed': ('transport', 'may reach the registry', 'Proxy= in [Exchange]'),
    'connection-lost': ('transport', 'network between', 'is well, and the network'),
    'tls-untrusted': ('tls', 'CAFile=', 'CAFile= of section [Exchange]'),
    'rate-limited': ('rate-limit', 'administrator', 'administrator'),
    'registry-error': ('registry', 'its own log', 'its own log'),
    'registry-closed': ('registry', 'the registry is well', 'is well, and the network'),
    'registry-redirected': ('registry', 'Registry=', 'final address'),
    'answer-malformed': ('registry', 'container registry', 'TokenEndpoint='),
    'answer-too-large': ('registry', 'container registry', 'TokenEndpoint='),
    'not-found': ('rejected', '/v2/', 'TokenEndpoint='), 'credential-refused': ('rejected', 'Username=', None),
    'rejected': ('rejected', None, '[Exchange]'), 'identity-rejected': ('rejected', None, 'SubjectTokenType='),
    'token-expired': ('identity-unusable', 'renews', None), 'token-audience': ('identity-unusable', 'Audience=', None),
}
WAITS = {**FIRST_WAIT, 'identity-unusable': 60}
WIRE = [('close', {}, 'registry-closed'), ('close', {'after': 'body'}, 'connection-lost'),
        ('oversize-body', {'size': 10 << 20}, 'answer-too-large'),
        ('answer', {'status': 307, 'headers': {'Location': '/x'}}, 'registry-redirected'),
        ('answer', {'status': 404}, 'not-found'), ('answer', {'status': 429}, 'rate-limited'),
        ('answer', {'status': 500}, 'registry-error')]


def wire(where, action, reason, **parameters):
    return lambda host: getattr(host, where).misbehave(action, **parameters), reason, where


def code(text, reason):
    return wire('service', 'answer', reason, status=400, json={'error': text})


def hanging(server):
    return sum(1 for request in server.log.requests if request['outcome'] is None)


def off(where):
    return lambda host: getattr(host, where).listener.pause(), 'connection-failed', where


# exchange → name → (what goes wrong, reason, where)
TABLE = {
    'token': {
        **{f'registry {action} {parameters}': wire('registry', action, reason, **parameters)
           for action, parameters, reason in WIRE},
        'registry off': off('registry'), 'registry silent': wire('registry', 'hang', 'timeout'),
        'registry takes nobody': wire('registry', 'answer', 'credential-refused', status=401,
                                      headers={'WWW-Authenticate': 'Basic realm="r"'}),
        'token has ended': (lambda host: host.token(host.quay.jwt(offset=-2 * HOUR)), 'token-expired', 'registry'),
        'token of another audience': (lambda host: host.fresh_token(claims={'aud': 'other'}), 'token-audience',
                                      'registry'),
    },
    'oauth2': {
        **{f'service {action} {parameters}': wire('service', action, reason, **parameters)
           for action, parameters, reason in WIRE},
        'service off': off('service'), 'service silent': wire('service', 'hang', 'timeout'),
        'service is a portal': wire('service', 'answer', 'answer-malformed', body='<html>'),
        'service takes no token': code('invalid_grant', 'identity-rejected'),
        'unknown client': code('invalid_client', 'rejected'),
        'no such target': code('invalid_target', 'rejected'),
        'registry takes nobody': (lambda host: host.service.given.append('x') or host.registry.misbehave(
            'answer', status=401, headers={'WWW-Authenticate': 'Basic realm="r"'}), 'credential-refused', 'registry'),
        'registry off': off('registry'), 'registry 500': wire('registry', 'answer', 'registry-error', status=500),
    },
}


class Elsewhere(World):
    """A host whose jobs are at another registry."""

    def __init__(self, quay, exchange):
        self.registry = self.service = None
        super().__init__(quay)
        os.unlink(self.path('etc/pullauth/jobs/edge.job'))
        if exchange == 'oauth2':
            self.service = TokenService(quay)
            self.registry = OpaqueRegistry(quay, self.service)
            more = f'[Exchange]\nTokenEndpoint={self.service.url}/token\nCAFile=/etc/pullauth/ca.pem\n'
        else:
            self.registry = TokenRegistry(quay)
            more = ''
        self.lines = (f'[Job]\nRegistry={self.registry.address}\nExchange={exchange}\nUsername={self.user(exchange)}\n'
                      'CAFile=/etc/pullauth/ca.pem\nMinimumRemaining=1s\n', more)

    @staticmethod
    def user(exchange):
        return 'oauth2accesstoken' if exchange == 'oauth2' else 'serviceaccount'

    def servers(self):
        return [server for server in (self.registry, self.service) if server]

    def fresh_token(self, **changes):
        self.token(self.quay.jwt(lifetime=HOUR, **changes))

    def add(self, name):
        first, rest = self.lines
        self.write(f'etc/pullauth/jobs/{name}.job', f'{first}Scopes={name}\n{rest}')
        self.reload()

    def prepare(self):
        """All is well, and one job has a credential."""
        for server in self.servers():
            server.rules.clear()
            server.listener.start()
        for name in (HAVE, NEW):
            if os.path.exists(self.path(f'etc/pullauth/jobs/{name}.job')):
                os.unlink(self.path(f'etc/pullauth/jobs/{name}.job'))
        self.reload()
        self.wait_file(SYSTEM, lambda: not self.auths())
        self.advance(10)  # connections of before are not used any more
        self.fresh_token()
        self.add(HAVE)
        self.client.wait_job(HAVE, State='fresh')
        self.advance(10)
        self.fresh_token()
        self.settle()

    def settle(self):
        """The daemon has seen what was written: it looks a moment after the last change."""
        for _ in range(2):
            self.client.job(HAVE)
            self.advance(1)
        self.client.job(HAVE)

    def secret(self, name):
        return self.password(f'{self.registry.address}/{name}')

    def close(self):
        super().close()
        for server in self.servers():
            server.rules.clear()
            server.close()


@pytest.fixture(scope='module')
def hosts(rig):
    rig.reset()
    made = {}

    def get(exchange):
        if exchange not in made:
            made[exchange] = Elsewhere(rig, exchange)
            made[exchange].start()
        return made[exchange]
    yield get
    for host in made.values():
        host.close()


@pytest.mark.parametrize('exchange, name', [(exchange, name) for exchange, rows in TABLE.items() for name in rows])
def test_every_trouble_with_and_without_a_credential(hosts, exchange, name):
    host, (trouble, reason, where) = hosts(exchange), TABLE[exchange][name]
    host.prepare()
    stands, ended = host.secret(HAVE), host.client.job(HAVE, 'AttemptsEnded')
    assert stands
    trouble(host)
    host.settle()
    begun = time.monotonic()
    host.add(NEW)
    host.client.call('org.pullauth1.Manager', 'RefreshJob', 's', HAVE)
    if reason == 'timeout':
        server = getattr(host, where)
        with server.log.changed:
            assert server.log.changed.wait_for(lambda: hanging(server) >= 2, 60 * SLOW)
        host.advance(61)
    group, *pieces = REASONS[reason]
    for job_name, wanted, before in ((HAVE, 'retrying', ended),
                                     (NEW, 'failed' if group == 'rejected' else 'expired', 0)):
        job = host.client.wait_job(job_name, AttemptsEnded=lambda n, before=before: n > before,
                                   State=lambda state: state != 'refreshing')
        assert (job['State'], job['Reason'], job['Exchange']) == (wanted, reason, exchange), job
        left, wait = host.left(job), WAITS[group]
        longest = wait * 2 ** (job['AttemptsEnded'] - before - 1)  # if it was looked at after another attempt
        assert wait / 2 - (time.monotonic() - begun) - 1 <= left <= longest + 1, (left, wait)
        assert pieces[where == 'service'] in job['Hint'], job['Hint']
        assert not any(word in job['Message'] + job['Hint'] for word in ('Quay', 'robot')), job
    assert host.secret(HAVE) == stands and host.secret(NEW) is None


@pytest.mark.parametrize('exchange', TABLE)
def test_what_has_ended_is_withdrawn_and_comes_back(hosts, exchange):
    host = hosts(exchange)
    host.prepare()
    where = host.service or host.registry
    where.misbehave('answer', status=500)
    host.advance(HOUR + 60)
    host.client.wait_job(HAVE, State='expired')
    host.wait_file(SYSTEM, lambda: not host.auths())
    where.rules.clear()
    host.fresh_token()
    host.client.call('org.pullauth1.Manager', 'RefreshJob', 's', HAVE)
    host.client.wait_job(HAVE, State='fresh')
    assert host.secret(HAVE)
