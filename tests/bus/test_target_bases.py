# SPDX-License-Identifier: LGPL-2.1-or-later
"""The target of bootc, which reads one file of three: ours must not hide what an administrator has in another."""

import json
import os

import pytest

KEY = 'quay.example.com/acme'
OURS, ETC, USR = 'run/ostree/auth.json', 'etc/ostree/auth.json', 'usr/lib/ostree/auth.json'


def text(*names):
    return json.dumps({'auths': {name: {'auth': 'Zm9vOmJhcg=='} for name in names}, 'other': [1.50, {}]})


def start(host, targets='bootc'):
    host.standard()
    host.job(more=f'Targets={targets}\n')
    host.start()
    host.client.wait_job('edge', State='fresh')
    return host


def keys(host):
    return sorted(host.auths(OURS) or {})


def test_without_an_administrators_file_ours_is_like_any_other(host):
    start(host)
    assert keys(host) == [KEY] and os.stat(host.path(OURS)).st_mode & 0o7777 == 0o600


@pytest.mark.parametrize('files, seen', [
    ({ETC: 'etc.example', USR: 'usr.example'}, 'etc.example'), ({USR: 'usr.example'}, 'usr.example')])
def test_what_would_be_hidden_is_taken_along(host, files, seen):
    for path, name in files.items():
        host.write(path, text(name))
    start(host)
    assert keys(host) == sorted([KEY, seen]) and json.loads(host.read(OURS))['other'] == [1.5, {}]
    for path, name in files.items():
        assert host.read(path).decode() == text(name)


def remove(host, path):
    os.unlink(host.path(path))


@pytest.mark.parametrize('change, wanted', [
    (lambda host: host.write(ETC, text('b.example')), ['b.example', KEY]),
    (lambda host: remove(host, ETC), [KEY, 'usr.example']),
], ids=['other', 'gone'])
def test_a_change_of_the_administrators_file_is_followed(host, change, wanted):
    host.write(ETC, text('a.example'))
    host.write(USR, text('usr.example'))
    start(host)
    # A run that has nothing to write: else it would look again for its own writing's sake.
    host.restart()
    host.client.wait_job('edge', State='fresh')
    change(host)
    host.wait_file(OURS, lambda: keys(host) == wanted)
    assert len(host.worker.requests) == 1


@pytest.mark.parametrize('running', [True, False], ids=['reload', 'restart'])
@pytest.mark.parametrize('targets', ['bootc', 'system'], ids=['no-job', 'no-target'])
def test_the_file_goes_when_nobody_wants_it_any_more(host, running, targets):
    host.write(ETC, text('a.example'))
    start(host)
    if targets == 'bootc':
        os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    else:
        host.job(more='Targets=system\n')
    if running:
        host.reload()
    else:
        host.restart()
    host.client.poll(lambda: not os.path.exists(host.path(OURS)), 'the removal')
    assert host.read(ETC).decode() == text('a.example')


def test_what_changed_while_the_daemon_was_down_is_followed(host):
    host.write(ETC, text('a.example'))
    start(host)
    host.stop()
    host.write(ETC, text('b.example'))
    host.start()
    host.wait_file(OURS, lambda: keys(host) == ['b.example', KEY])


def test_a_file_that_was_there_before_is_somebodys(host):
    host.write(ETC, text('hidden.example'))
    host.write(OURS, text('first.example'))
    start(host)
    assert keys(host) == ['first.example', KEY], 'hidden before, hidden still'
    os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    host.reload()
    host.wait_file(OURS, lambda: keys(host) == ['first.example'])


def test_a_file_that_somebody_changed_is_not_removed(host):
    host.write(ETC, text('a.example'))
    start(host)
    content = json.loads(host.read(OURS))
    content['auths']['mine.example'] = {'auth': 'Zm9vOmJhcg=='}
    host.write(OURS, json.dumps(content), 0o600)
    os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    host.reload()
    host.wait_file(OURS, lambda: keys(host) == ['a.example', 'mine.example'])


def test_onremove_retain_leaves_the_file(host):
    host.write(ETC, text('a.example'))
    start(host, 'bootc\nOnRemove=retain')
    os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    host.reload()
    host.client.poll(lambda: not host.client.jobs(), 'the removal')
    host.restart()
    assert keys(host) == ['a.example', KEY]


def test_what_cannot_be_read_is_not_hidden(host):
    host.write(ETC, '{"auths": {')
    host.standard()
    host.job(more='Targets=bootc\n')
    host.start()
    job = host.client.wait_job('edge', Reason='target-malformed')
    assert ETC in job['Message'] and not os.path.exists(host.path(OURS))
    host.write(ETC, text('a.example'))
    host.client.wait_job('edge', State='fresh', timeout=90)
    assert keys(host) == ['a.example', KEY] and len(host.worker.requests) == 1


def test_an_entry_of_the_administrator_is_not_taken(host):
    host.write(ETC, text(KEY))
    host.standard()
    host.job(more='Targets=bootc\n')
    host.start()
    host.client.wait_job('edge', Reason='target-conflict')
    assert not os.path.exists(host.path(OURS)), 'what tools read is what they read before'


def test_a_preview_shows_both(host):
    host.write(ETC, text('a.example'))
    start(host)
    shown = json.loads(host.client.call('org.pullauth1.Manager', 'RenderTarget', 's', 'bootc'))
    assert sorted(shown['auths']) == ['a.example', KEY]
