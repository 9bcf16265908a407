# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything that the simulated world can do wrong, met by a job in each of its states: what it says then, when it
tries again, and what stands in its target. Daemon and worker as they are.

What comes of a failure follows from two things alone: whether a credential that still lives is at hand, and the class
of the reason. The table names the reason; the rest is one rule, and the exceptions stand beside it.
"""

import base64
import os
import time

import pytest
from quaysim.client import EXCHANGE
from world import SYSTEM, World

STATES = ('inactive', 'refreshing', 'fresh', 'retrying', 'expired', 'failed')
HAVE_ONE = ('refreshing', 'fresh', 'retrying')
TOKEN = '/v2/auth'
HOUR = 3600

# reason → class and a piece of the hint
REASONS = {
    'timeout': ('transport', 'network to the registry'), 'connection-failed': ('transport', 'may reach the registry'),
    'connection-lost': ('transport', 'network between'), 'tls-failed': ('tls', 'TLS 1.2'),
    'tls-untrusted': ('tls', 'CAFile='), 'tls-host-mismatch': ('tls', 'Registry='),
    'tls-certificate-dates': ('clock', 'timedatectl'), 'clock-skew': ('clock', 'clock'),
    'rate-limited': ('rate-limit', 'administrator'), 'registry-error': ('registry', ''),
    'registry-closed': ('registry', 'issuer'), 'registry-read-only': ('registry', 'maintenance'),
    'registry-redirected': ('registry', 'Registry='), 'answer-malformed': ('registry', 'Registry='),
    'answer-too-large': ('registry', 'Registry='), 'token-not-usable': ('registry', 'clock of the registry'),
    'robot-unknown': ('rejected', 'Robot='), 'federation-not-configured': ('rejected', 'federation'),
    'issuer-not-accepted': ('rejected', ''), 'subject-not-accepted': ('rejected', 'sub'),
    'audience-not-accepted': ('rejected', 'aud'), 'signature-not-accepted': ('rejected', 'key'),
    'not-found': ('rejected', '3.13'), 'credential-refused': ('rejected', 'organization'), 'rejected': ('rejected', ''),
}
FIRST_WAIT = {'transport': 5, 'registry': 5, 'rate-limit': 30, 'tls': 60, 'clock': 60, 'rejected': 300}
# What the last failure of a job in this state was; the second of a class waits twice as long.
BEFORE = {'retrying': 'rate-limit', 'expired': 'rate-limit', 'failed': 'rejected'}


def wire(action, path=EXCHANGE, **parameters):
    """An answer that is spoilt. The attempt under way meets it as well."""
    def install(quay, **more):
        return quay.misbehave(action, path, **more, **parameters)
    return 'connect' if path == '@connect' else 'wire', install


def world_is(operation, **parameters):
    """The registry or the issuer are otherwise."""
    return 'world', lambda quay: quay.call(operation, **parameters)


def robots(**fields):
    return 'world', lambda quay: [quay.robot(f'acme+{state}', **fields) for state in STATES]


def federation(**changes):
    return 'world', lambda quay: [quay.robot(f'acme+{state}', federation=[quay.federation_entry(**changes)])
                                  for state in STATES]


def certificate(kind):
    return 'handshake', lambda quay: quay.call('quay', certificate=kind)


def raw(data):
    return base64.b64encode(data).decode()


def tokens(**parameters):
    """Each robot gets a token of its own that is wrong in this way."""
    def install(quay, user=None, **more):
        for name in [user] if user else [f'acme+{state}' for state in STATES]:
            rule = quay.misbehave('change', EXCHANGE, user=name, json={'token': quay.robot_token(name, **parameters)},
                                  **more)
        return rule
    return 'wire', install


# name → (how, reason or None for success, exceptions by state)
TABLE = {
    'slow': (*wire('delay', seconds=0.2), None), 'dripping': (*wire('drip', chunk=7, interval=0.0005), None),
    'content type': (*wire('change', content_type='text/html'), None),
    'hangs': (*wire('hang'), 'timeout'), 'hangs in headers': (*wire('hang', after='headers'), 'timeout'),
    'hangs in the body': (*wire('hang', after='body'), 'timeout'), 'drips': (*wire('drip', interval=30), 'timeout'),
    'token endpoint hangs': (*wire('hang', TOKEN), 'timeout'),
    'closes': (*wire('close'), 'registry-closed'),
    'closes in headers': (*wire('close', after='headers'), 'connection-lost'),
    'closes in the body': (*wire('close', after='body'), 'connection-lost'),
    'resets': (*wire('reset'), 'registry-closed'),
    'resets in headers': (*wire('reset', after='headers'), 'connection-lost'),
    'resets in the body': (*wire('reset', after='body'), 'connection-lost'),
    'cut off': (*wire('truncate'), 'connection-lost'), 'half a JSON': (*wire('broken-json'), 'answer-malformed'),
    'huge body': (*wire('oversize-body'), 'answer-too-large'),
    'huge chunks': (*wire('oversize-body', length='chunked'), 'answer-too-large'),
    'huge without length': (*wire('oversize-body', length='none'), 'answer-too-large'),
    'huge headers': (*wire('oversize-headers'), 'answer-too-large'),
    'no HTTP': (*wire('raw', data_base64=raw(b'SSH-2.0-OpenSSH_9.2\r\n')), 'connection-lost'),
    'no token': (*wire('change', json={}), 'answer-malformed'), 'empty': (*wire('change', body=''), 'answer-malformed'),
    'a portal': (*wire('answer', body='<html>Welcome', content_type='text/html'), 'answer-malformed'),
    'moved': (*wire('answer', status=301, headers={'Location': 'https://elsewhere.example/'}), 'registry-redirected'),
    '401': (*wire('answer', status=401), 'rejected'), '403': (*wire('answer', status=403), 'rejected'),
    '404': (*wire('answer', status=404), 'not-found'), '429': (*wire('answer', status=429), 'rate-limited'),
    '500': (*wire('answer', status=500), 'registry-error'), '502': (*wire('answer', status=502), 'registry-closed'),
    '503': (*wire('answer', status=503), 'registry-error'), '504': (*wire('answer', status=504), 'registry-closed'),
    'token endpoint 401': (*wire('answer', TOKEN, status=401), 'credential-refused'),
    'token endpoint 500': (*wire('answer', TOKEN, status=500), 'registry-error'),
    'token endpoint 429': (*wire('answer', TOKEN, status=429), 'rate-limited'),
    'token has ended': (*tokens(offset=-2 * HOUR), 'token-not-usable'),
    'token of the future': (*tokens(offset=HOUR), 'token-not-usable'),
    'token without a life': (*tokens(lifetime=0), 'token-not-usable'),
    'token of a minute': (*tokens(lifetime=60), None, {state: 'token-not-usable' for state in HAVE_ONE}),
    'port closes': (*wire('close', '@connect'), 'connection-lost'),
    'port hangs': (*wire('hang', '@connect'), 'timeout'),
    'no TLS': (*wire('raw', '@connect', data_base64=raw(b'HTTP/1.1 400 Bad Request\r\n\r\n')), 'tls-failed'),
    'certificate has ended': (*certificate('expired'), 'tls-certificate-dates'),
    'certificate of the future': (*certificate('not-yet-valid'), 'tls-certificate-dates'),
    'certificate for another host': (*certificate('wrong-name'), 'tls-host-mismatch'),
    'certificate of a stranger': (*certificate('untrusted'), 'tls-untrusted'),
    'new certificate': (*certificate('renewed'), None),
    'registry is off': (*world_is('quay', listening=False), 'connection-failed', {'refreshing': 'registry-closed'}),
    'read-only': (*world_is('settings', read_only=True), 'registry-read-only'),
    'robots are disallowed': (*world_is('settings', robots_disallow=True), 'credential-refused'),
    'too old a Quay': (*world_is('settings', federation=False), 'not-found'),
    'owner is disabled': (*world_is('owner', name='acme', disabled=True), 'credential-refused'),
    'clock of the registry is late': ('world', lambda quay: quay.set_clock(-30 * HOUR), 'clock-skew'),
    'no such robot': (*robots(delete=True), 'robot-unknown'),
    'no federation': (*robots(federation=[]), 'federation-not-configured'),
    'another issuer': (*federation(issuer='https://issuer.example'), 'issuer-not-accepted'),
    'another subject': (*federation(subject='host-2'), 'subject-not-accepted'),
    'another audience': (*federation(audiences=['else']), 'audience-not-accepted'),
    'issuer is off': (*world_is('issuer', listening=False), 'registry-closed'),
    'issuer of a stranger': (*world_is('issuer', certificate='untrusted'), 'registry-closed'),
    'issuer without the key': (*world_is('issuer', published=['ec']), 'registry-error'),
    'issuer has a new key': (*world_is('rotate'), 'registry-error'),
    'issuer says it is another': (*world_is('issuer', discovery={'issuer': 'https://else.example'}),
                                  'issuer-not-accepted'),
}
HANGING = {name for name, row in TABLE.items() if row[2] == 'timeout'}


class Stage(World):
    """Six jobs, each in another state."""

    def forget(self):
        """All jobs are gone, and all is well."""
        for state in (*STATES, 'edge'):
            if os.path.exists(self.path(f'etc/pullauth/jobs/{state}.job')):
                os.unlink(self.path(f'etc/pullauth/jobs/{state}.job'))
        self.reload()
        # A job that comes back before that would take up what stands there.
        self.wait_file(SYSTEM, lambda: not self.auths())
        self.advance(2)  # a connection of before, to a server that is about to be another, is not used any more
        self.quay.reset(clock_offset=self.passed)
        for state in STATES:
            self.quay.robot(f'acme+{state}', federation=[self.quay.federation_entry()])

    def add(self, *states):
        for state in states:
            # Due late: nobody refreshes by himself while things are put in their places.
            self.job(state, more=f'Scopes=acme/{state}\nMinimumRemaining=1s\n')
        self.reload()

    def secret(self, state):
        return self.password(f'{self.quay.quay}/acme/{state}')

    def refresh_one(self, state):
        return self.client.call('org.pullauth1.Manager', 'RefreshJob', 's', state)

    def prepare(self):
        """Each job is in the state that it is named after, but for the two that belong to the trouble itself."""
        self.client.signals.clear()
        self.forget()
        for state in ('expired', 'failed'):
            token = self.quay.robot_token(f'acme+{state}', lifetime=60)
            self.quay.misbehave('change', EXCHANGE, user=f'acme+{state}', count=1, json={'token': token})
        self.add('refreshing', 'fresh', 'retrying', 'expired', 'failed')
        for state in STATES[1:]:
            self.client.wait_job(state, State='fresh')
        for state in ('retrying', 'expired'):
            self.quay.misbehave('answer', EXCHANGE, user=f'acme+{state}', status=429, headers={'Retry-After': '600'})
        self.quay.robot('acme+failed', federation=[])
        self.advance(65)
        self.refresh_one('retrying')
        for state in ('retrying', 'expired', 'failed'):
            self.client.wait_job(state, State=state)
        self.wait_file(SYSTEM, lambda: not self.secret('expired') and not self.secret('failed'))
        self.quay.behave()
        self.quay.robot('acme+failed', federation=[self.quay.federation_entry()])
        self.advance(10)  # connections of before are not used any more

    def hold(self, kind, install):
        """The attempt under way stands before the trouble. Returns how to let it go."""
        if kind == 'wire':
            rule = install(self.quay, user='acme+refreshing', hold=True)
            return lambda: self.quay.let_go(rule)
        if kind == 'connect':
            rule = install(self.quay, count=1, hold=True)
            return lambda: self.quay.let_go(rule)
        if kind == 'handshake':
            rule = self.quay.misbehave('delay', '@connect', count=1, seconds=HOUR)
        else:
            rule = self.quay.misbehave('delay', EXCHANGE, user='acme+refreshing', seconds=HOUR, before=True)
        return lambda: self.quay.behave(rule)

    def start_attempt(self, kind, token_endpoint):
        seen = len(self.quay.connections())
        self.refresh_one('refreshing')
        self.client.wait_job('refreshing', State='refreshing')
        if kind in ('wire', 'world'):
            self.quay.requests(TOKEN if token_endpoint else EXCHANGE, at_least=1)
        else:
            self.client.poll(lambda: len(self.quay.connections()) > seen, 'a connection')

    def play(self, name):
        """Returns state → (state, reason, hint, seconds to the next attempt, secret before, secret after)."""
        kind, install = TABLE[name][:2]
        self.prepare()
        self.quay.call('forget')
        let_go = self.hold(kind, install)
        self.start_attempt(kind, name.startswith('token endpoint'))
        before = {state: self.secret(state) for state in STATES}
        ended = {state: self.client.job(state, 'AttemptsEnded') for state in STATES[1:]}
        begun, heard = time.monotonic(), len(self.client.signals)
        install(self.quay)
        self.add('inactive')
        for state in ('fresh', 'retrying', 'expired', 'failed'):
            self.refresh_one(state)
        let_go()
        if name in HANGING:
            # All of them stand there: a minute passes. While a handshake hangs the others wait for it.
            self.client.wait(lambda: self.client.manager('NRefreshing') == len(STATES), 'all attempts')
            if kind == 'wire':
                self.quay.requests(TOKEN if name.startswith('token') else EXCHANGE, at_least=len(STATES))
            self.advance(75)
        found = {}
        for state in STATES:
            # The first that ends: some are tried again a few seconds later.
            job = self.told(state, heard, AttemptsEnded=lambda n, state=state: n > ended.get(state, 0),
                            State=lambda value: value != 'refreshing')
            found[state] = (job['State'], job['Reason'], job['Hint'], self.left(job), before[state], self.secret(state))
        self.took = time.monotonic() - begun
        return found


@pytest.fixture(scope='module')
def stage(rig):
    rig.reset()
    made = Stage(rig)
    try:
        made.start()
        yield made
    finally:
        made.close()


def problems(state, outcome, reason, took):
    """What is not as it has to be."""
    shown, why, hint, left, before, after = outcome
    if reason is None:
        wanted = ('fresh', '')
    else:
        group, piece = REASONS[reason]
        lost = 'failed' if group == 'rejected' else 'expired'
        wanted = ('retrying' if state in HAVE_ONE else lost, reason)
    if (shown, why) != wanted:
        yield f'{state}: {shown} ({why}) in place of {wanted[0]} ({wanted[1]})'
    elif reason is None:
        if after is None or after == before:
            yield f'{state}: no new credential in the target'
    else:
        wait = FIRST_WAIT[group] * (2 if BEFORE.get(state) == group else 1)
        if not wait / 2 - took - 1 <= left <= wait + 1:
            yield f'{state}: next attempt in {left:.1f} s, {wait / 2:.0f} to {wait} s are right'
        if not hint or piece not in hint:
            yield f'{state}: hint {hint!r}'
        if after != before:
            yield f'{state}: what stands in the target has changed'
        if (before is None) != (state not in HAVE_ONE):
            yield f'{state}: there was {"no" if before is None else "a"} credential before'


@pytest.mark.parametrize('name', TABLE)
def test_every_trouble_in_every_state(stage, name):
    found = stage.play(name)
    reasons = {**dict.fromkeys(STATES, TABLE[name][2]), **(TABLE[name][3] if len(TABLE[name]) > 3 else {})}
    wrong = [text for state in STATES for text in problems(state, found[state], reasons[state], stage.took)]
    assert not wrong, '\n'.join(wrong)


def test_the_table_knows_every_misbehaviour_of_the_simulator():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'quaysim', 'misbehaviour.py'),
              encoding='utf-8') as file:
        text = file.read()
    known = set(text.split('ACTIONS = {')[1].split('}')[0].replace("'", '').replace(':', ' ').split()[0::2])
    with open(os.path.abspath(__file__), encoding='utf-8') as file:
        own = file.read()
    missing = [action for action in known if f"wire('{action}'" not in own and f"misbehave('{action}'" not in own]
    assert not missing
