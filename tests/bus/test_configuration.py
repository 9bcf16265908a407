# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the administrator's files can do and what is said of those that cannot."""

import os

import pytest


def messages(job):
    return [(severity, os.path.basename(file), line, text)
            for severity, line, file, text in job['ConfigurationMessages']]


def test_a_reload_touches_only_what_changed(edge):
    edge.job('second', more='Scopes=acme/other\n')
    edge.reload()
    edge.client.wait_job('second', State='fresh')
    assert [request['Job'] for request in edge.worker.requests] == ['edge', 'second']
    edge.job('second', more='Scopes=acme/app acme/base\n')
    edge.reload()
    edge.client.wait_job('second', Scopes=['quay.example.com/acme/app', 'quay.example.com/acme/base'], State='fresh')
    assert 'quay.example.com/acme/app' in edge.auths()
    assert len(edge.worker.requests) == 2, 'other scopes need no other credential'
    os.unlink(edge.path('etc/pullauth/jobs/second.job'))
    edge.reload()
    edge.wait_file('etc/containers/auth.json', lambda: list(edge.auths()) == ['quay.example.com/acme'])
    assert list(edge.client.jobs()) == ['edge'] and len(edge.worker.requests) == 2
    expected = {'JobAdded', 'JobRemoved', 'InterfacesAdded', 'InterfacesRemoved'}
    edge.client.wait(lambda: expected <= {signal[2] for signal in edge.client.signals}, 'signals of the second job')
    assert not os.path.exists(edge.path('run/pullauth/fragments/second.json'))


def test_onremove_retain_leaves_the_entry(edge):
    edge.job(more='OnRemove=retain\n')
    edge.reload()
    os.unlink(edge.path('etc/pullauth/jobs/edge.job'))
    edge.reload()
    edge.client.wait(lambda: not edge.client.jobs(), 'the removal')
    edge.restart()
    assert list(edge.auths()) == ['quay.example.com/acme']


def test_a_job_that_breaks_keeps_what_it_has_and_says_why(edge):
    edge.write('etc/pullauth/jobs/edge.job', '[Job]\nRegistry=quay.example.com\nRobot=acme\nColour=blue\n')
    edge.reload()
    job = edge.client.wait_job('edge', Reason='configuration-invalid')
    found = messages(job)
    assert [m[:3] for m in found if m[0] == 'error'] == [('error', 'edge.job', 3)]
    assert [m[:3] for m in found if m[0] == 'warning'] == [('warning', 'edge.job', 4)]
    assert 'Colour' in [m[3] for m in found if m[0] == 'warning'][0]
    assert list(edge.auths()) == ['quay.example.com/acme']
    name, text = edge.client.error_of('org.pullauth1.Manager', 'RefreshJob', 's', 'edge')
    assert name == 'org.pullauth1.Error.ConfigurationInvalid' and 'edge.job:3' in text
    edge.job()
    edge.reload()
    edge.client.wait_job('edge', State='fresh', Reason='')


@pytest.mark.parametrize('text', [
    '[Job]\nRegistry=https://quay.example.com\nRobot=acme+edge\n',
    '[Job]\nRegistry=quay.example.com\nRobot=acme\n', 'x',
], ids=['registry', 'robot', 'nothing'])
def test_a_restart_with_a_broken_file_keeps_what_stands(edge, text):
    before = edge.read('etc/containers/auth.json')
    edge.write('etc/pullauth/jobs/edge.job', text)
    edge.restart()
    job = edge.client.wait_job('edge', State='failed', Reason='configuration-invalid')
    assert edge.read('etc/containers/auth.json') == before and job['Expires'] > 0
    assert job['NextAttempt'] == 0, 'nothing is tried before the file is corrected'
    assert (job['Registry'], job['Robot']) == ('quay.example.com', 'acme+edge')
    edge.job()
    edge.reload()
    edge.client.wait_job('edge', State='fresh')
    assert edge.read('etc/containers/auth.json') == before and len(edge.worker.requests) == 1


def test_a_mistake_that_is_corrected_costs_no_exchange(edge):
    due = edge.client.job('edge', 'NextAttempt')
    edge.job(more='Scopes=/x\n')
    edge.reload()
    edge.client.wait_job('edge', State='failed')
    edge.job()
    edge.reload()
    job = edge.client.wait_job('edge', State='fresh')
    assert len(edge.worker.requests) == 1 and abs(job['NextAttempt'] - due) < 10**6


def test_a_job_that_never_worked_shows_what_its_files_say_now(host):
    host.job(robot='acme+one')
    host.start()
    host.client.wait_job('edge', Reason='identity-missing', Robot='acme+one')
    host.job(robot='acme+two')
    host.reload()
    host.client.wait_job('edge', Reason='identity-missing', Robot='acme+two')


@pytest.mark.parametrize('text, line, says', [
    ('Registry=quay.example.com\n', 1, 'section'),
    ('[Job]\nRobot=acme+edge\n', 0, 'Registry='),
    ('[Job]\nRegistry=https://quay.example.com\nRobot=acme+edge\n', 2, 'Registry'),
    ('[Job]\nRegistry=quay.example.com\nRobot=edge\n', 3, 'Robot'),
    ('[Job]\nRegistry=quay.example.com\nRobot=acme+edge\nTargets=system nowhere\n', 0, 'nowhere'),
    ('[Job]\nRegistry=quay.example.com\nRobot=acme+edge\nIdentity=node\n', 0, 'node.identity'),
    ('[Job]\nRegistry=quay.example.com\nRobot=acme+edge\nMinimumRemaining=soon\n', 4, 'MinimumRemaining'),
    (b'[Job]\nRegistry=quay.\xff\xfe.com\nRobot=acme+edge\n', 2, 'UTF-8'),
    ('[Job]\nRegistry=quay.example.com\nExchange=ecr\nRobot=acme+edge\n', 3, 'quay, token, oauth2'),
    ('[Job]\nRegistry=quay.example.com\nExchange=oauth2\nUsername=u\n', 0, 'TokenEndpoint='),
    ('[Job]\nRegistry=quay.example.com\nExchange=oauth2\nUsername=u\n[Exchange]\nIssuer=http://x\n', 6, 'https://'),
    ('[Job]\nRegistry=quay.example.com\nExchange=token\nRobot=acme+edge\n', 0, 'Username='),
    ('[Job]\nRegistry=quay.example.com\nExchange=token\nUsername=a:b\n', 4, 'Username=a:b'),
    ('', 0, 'Registry='),
])
def test_wrong_files_are_named_with_file_and_line(host, text, line, says):
    host.standard()
    host.job('good')
    host.write('etc/pullauth/jobs/edge.job', text)
    host.start()
    job = host.client.wait_job('edge', State='failed')
    errors = [m for m in messages(job) if m[0] == 'error']
    assert ('edge.job', line) in [m[1:3] for m in errors], errors
    assert says in ' '.join(m[3] for m in errors)
    host.client.wait_job('good', State='fresh')
    assert host.client.jobs()['edge'][4] == 'failed'


def test_two_jobs_cannot_have_one_scope_of_a_target(edge):
    edge.job('other', robot='acme+other')
    edge.reload()
    job = edge.client.wait_job('other', State='failed', Reason='scope-conflict')
    assert "'edge'" in job['Message'] and 'quay.example.com/acme' in job['Message']
    assert edge.client.job('edge', 'State') == 'fresh'


def test_a_job_in_conflict_does_not_take_the_credential_of_the_other_for_its_own(edge):
    edge.job('second', robot='acme+edge')
    edge.reload()
    job = edge.client.wait_job('second', State='failed', Reason='scope-conflict')
    assert (job['Expires'], job['NextAttempt']) == (0, 0)
    assert not os.path.exists(edge.path('run/pullauth/fragments/second.json'))


def test_a_job_that_gets_another_name_keeps_its_credential(edge):
    before = edge.read('etc/containers/auth.json')
    os.rename(edge.path('etc/pullauth/jobs/edge.job'), edge.path('etc/pullauth/jobs/node.job'))
    edge.reload()
    edge.client.wait_job('node', State='fresh')
    assert edge.read('etc/containers/auth.json') == before and len(edge.worker.requests) == 1


def test_a_file_that_cannot_be_read_is_the_one_complaint(host):
    host.standard()
    os.mkdir(host.path('etc/pullauth/jobs/directory.job'))
    host.start()
    found = messages(host.client.wait_job('directory', State='failed'))
    assert [m[:3] for m in found] == [('error', 'directory.job', 0)] and 'regular' in found[0][3]


def test_files_that_belong_to_no_job_are_the_managers(edge):
    edge.write('etc/pullauth/jobs/-bad name.job', '[Job]\n')
    edge.write('etc/pullauth/identities/unused.identity', '[Identity]\nSource=magic\n')
    edge.reload()
    edge.client.wait(lambda: len(edge.client.manager('ConfigurationMessages')) == 2, 'both messages')
    text = str(edge.client.manager('ConfigurationMessages'))
    assert '-bad name.job' in text and 'unused.identity' in text and 'magic' in text


def test_drop_ins_and_masks_work_as_with_systemd(host):
    host.standard()
    host.write('usr/lib/pullauth/jobs/vendor.job',
               '[Job]\nRegistry=quay.example.com\nRobot=acme+vendor\nScopes=acme/v\n')
    host.write('usr/lib/pullauth/jobs/masked.job', '[Job]\nRegistry=quay.example.com\nRobot=acme+masked\n')
    os.symlink('/dev/null', host.path('etc/pullauth/jobs/masked.job'))
    host.write('etc/pullauth/jobs/edge.job.d/10-scope.conf', '[Job]\nScopes=acme/app\n')
    host.write('run/pullauth/jobs/edge.job.d/20-more.conf', '[Job]\nScopes=acme/more\n')
    host.start()
    assert sorted(host.client.jobs()) == ['edge', 'vendor']
    assert host.client.job('edge', 'Scopes') == ['quay.example.com/acme/app', 'quay.example.com/acme/more']
    assert len(host.client.job('edge', 'ConfigurationFiles')) == 3


def test_a_disabled_job_lets_go_of_everything_and_comes_back(edge):
    edge.job(more='OnRemove=retain\nEnabled=no\n')
    edge.reload()
    job = edge.client.wait_job('edge', State='inactive', Enabled=False)
    assert job['NextAttempt'] == job['Expires'] == 0 and job['Reason'] == ''
    edge.wait_file('etc/containers/auth.json', lambda: edge.auths() == {})
    assert not os.path.exists(edge.path('run/pullauth/fragments/edge.json'))
    assert edge.client.manager('NInactive') == 1
    name, text = edge.client.error_of('org.pullauth1.Manager', 'RefreshJob', 's', 'edge')
    assert name == 'org.pullauth1.Error.JobDisabled' and 'pullauthctl enable edge' in text
    assert edge.client.call('org.pullauth1.Manager', 'RefreshAll') == []
    edge.restart()
    assert edge.client.job('edge', 'State') == 'inactive' and len(edge.worker.requests) == 1
    edge.job()
    edge.reload()
    edge.client.wait_job('edge', State='fresh', Enabled=True)
    assert list(edge.auths()) == ['quay.example.com/acme'] and len(edge.worker.requests) == 2


def test_a_job_disabled_while_the_daemon_was_down_lets_go_at_the_next_start(edge):
    edge.stop()
    edge.job(more='Enabled=no\n')
    edge.start()
    edge.wait_file('etc/containers/auth.json', lambda: edge.auths() == {})
    assert edge.client.job('edge', 'State') == 'inactive'
    assert not os.path.exists(edge.path('run/pullauth/fragments/edge.json'))


def test_a_disabled_job_needs_nothing_and_is_in_nobodys_way(edge):
    edge.job('another', robot='acme+edge', more='Identity=missing\nColour=blue\nTakeOver=perhaps\nEnabled=no\n')
    edge.reload()
    job = edge.client.wait_job('another', State='inactive')
    assert sorted(m[:3] for m in messages(job)) == [('error', 'another.job', 6), ('warning', 'another.job', 5)]
    assert edge.client.job('edge', 'State') == 'fresh'


def test_files_that_move_are_shown_where_they_are(edge):
    assert not edge.client.job('edge', 'Runtime')
    os.unlink(edge.path('etc/pullauth/jobs/edge.job'))
    edge.write('run/pullauth/jobs/edge.job', '[Job]\nRegistry=quay.example.com\nRobot=acme+edge\n')
    edge.reload()
    job = edge.client.wait_job('edge', Runtime=True, State='fresh')
    assert job['ConfigurationFiles'] == [edge.path('run/pullauth/jobs/edge.job')]
    assert len(edge.worker.requests) == 1


def test_the_name_of_a_drop_in_need_not_be_text(edge):
    """The bus takes text alone, and one job that it does not take would hide all of them."""
    directory = os.fsencode(edge.path('etc/pullauth/jobs/edge.job.d'))
    edge.write('etc/pullauth/jobs/edge.job.d/50-plain.conf', '[Job]\nTakeOver=yes\n')
    os.rename(directory + b'/50-plain.conf', directory + b'/50-\xff.conf')
    edge.reload()
    job = edge.client.wait_job('edge', TakeOver=True)
    assert [os.path.basename(path) for path in job['ConfigurationFiles']] == ['edge.job', '50-\ufffd.conf']
    assert list(edge.client.jobs()) == ['edge']
