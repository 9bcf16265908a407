# SPDX-License-Identifier: LGPL-2.1-or-later
"""docker-credential-pullauth with the real daemon, talked to as docker-credential-helpers' client does it: a verb as
the only argument, the question on standard input, JSON or one sentence on standard output."""

import json
import os
import subprocess

import pytest
from ctl_rig import SLOW
from fakeworker import failure
from rig import ROOT, STRANGER_UID, WRAPPER, as_user, program

NOT_FOUND = 'credentials not found in native keychain\n'
QUAY = 'quay.example.com'
needs_root = pytest.mark.skipif(not ROOT, reason='calls as several users can be made by root alone')


def run(host, verb, text='', uid=None, **environment):
    return subprocess.run([*WRAPPER, program(host.directory, 'docker-credential-pullauth'), *verb.split()],
                          input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=host.environment(**environment), cwd=host.directory, timeout=60 * SLOW,
                          **({} if uid is None else as_user(uid)))


def get(host, text, **more):
    """The answer, which came without a word beside it."""
    done = run(host, 'get', text, **more)
    assert (done.returncode, done.stderr) == (0, ''), done
    return json.loads(done.stdout)


def missing(host, text, words='', **more):
    """What makes tools go on without a credential; people hear of the reason."""
    done = run(host, 'get', text, **more)
    assert (done.returncode, done.stdout) == (1, NOT_FOUND), done
    assert words in done.stderr if words else done.stderr == '', done
    assert done.stderr.count('\n') == bool(words)


def refused(host, verb, text, words, **more):
    done = run(host, verb, text, **more)
    assert done.returncode == 1 and words in done.stdout and NOT_FOUND not in done.stdout, done
    assert done.stdout.count('\n') == 1 and done.stderr == '', done


@pytest.mark.parametrize('question', [QUAY, f'{QUAY}\n', f'https://{QUAY}', f'https://{QUAY}/v1/',
                                      f'http://{QUAY}/v2/'])
def test_a_host_gets_the_credential_of_its_only_job(edge, question):
    assert get(edge, question) == {'ServerURL': question.strip(), 'Username': 'acme+edge',
                                   'Secret': edge.worker.tokens[-1]}


def test_a_path_takes_the_longest_scope(edge):
    edge.job('app', robot='acme+app', more='Scopes=acme/app\n')
    edge.reload()
    edge.client.wait_job('app', State='fresh')
    assert get(edge, f'{QUAY}/acme/app')['Username'] == 'acme+app'
    assert get(edge, f'{QUAY}/acme/apple')['Username'] == 'acme+edge'
    missing(edge, f'{QUAY}/other/app')


def test_of_several_jobs_only_one_for_the_whole_registry_answers(edge):
    """Any choice would be wrong for half of the pulls, so somebody has to make it."""
    edge.job('other', robot='other+robot')
    edge.reload()
    edge.client.wait_job('other', State='fresh')
    missing(edge, QUAY, "Jobs 'edge' and 'other' are both at quay.example.com")
    assert run(edge, 'list').stdout == '{}\n'
    edge.job('other', robot='other+robot', more='Scopes=* other\n')
    edge.reload()
    edge.client.wait_job('other', Scopes=[QUAY, f'{QUAY}/other'], State='fresh')
    assert get(edge, QUAY)['Username'] == 'other+robot'
    assert json.loads(run(edge, 'list').stdout) == {QUAY: 'other+robot'}
    edge.job('other', robot='other+robot', more='Scopes=* other\nEnabled=no\n')
    edge.reload()
    assert get(edge, QUAY)['Username'] == 'acme+edge', 'disabled ones do not count'


def test_whole_registries_of_two_jobs_are_the_first_that_can_work(host):
    """They cannot have the same scope in one target, but in two."""
    host.standard()
    host.job('a', more='Scopes=*\nTargets=system\nIdentity=nowhere\n')
    host.job('b', more='Scopes=*\nTargets=podman\n')
    host.start()
    host.client.wait_job('b', State='fresh')
    assert get(host, QUAY)['Username'] == 'acme+b'


def test_where_no_job_is_tools_go_on_in_silence(edge):
    for question in ('elsewhere.example.com', 'https://index.docker.io/v1/', 'docker.io/library/busybox'):
        missing(edge, question)


def test_without_a_credential_tools_go_on_and_people_hear_why(host):
    host.standard()
    host.worker.answer = lambda request: failure('robot-unknown', message='There is no such robot')
    host.start()
    host.client.wait_job('edge', State='failed')
    missing(host, QUAY, 'There is no such robot')
    missing(host, f'{QUAY}/acme/app', 'There is no such robot')
    assert run(host, 'list').stdout == '{}\n'


@pytest.mark.parametrize('question', ['quay example', 'Quay..example/', 'a' * 2000, 'https://', 'u:p@quay.example.com'])
def test_what_is_no_registry_is_not_found(edge, question):
    missing(edge, question, 'no ')


@pytest.mark.parametrize('question', ['', '\n', '  \t'])
def test_an_empty_question_is_the_error_of_the_protocol(edge, question):
    done = run(edge, 'get', question)
    assert (done.returncode, done.stdout) == (1, 'no credentials server URL\n')


def test_list_and_version(edge):
    edge.job('lab', registry='lab.example.com:8443')
    edge.reload()
    edge.client.wait_job('lab', State='fresh')
    done = run(edge, 'list', 'unused')
    assert (done.returncode, done.stderr) == (0, '')
    assert json.loads(done.stdout) == {QUAY: 'acme+edge', 'lab.example.com:8443': 'acme+lab'}
    assert run(edge, 'version').stdout.startswith('docker-credential-pullauth ')
    assert run(edge, '--version').stdout == run(edge, 'version').stdout


def test_nothing_is_stored_or_erased(edge):
    before = edge.auths()
    stored = {'ServerURL': QUAY, 'Username': 'u', 'Secret': 'never-shown'}
    refused(edge, 'store', json.dumps(stored), 'stores no others')
    refused(edge, 'erase', QUAY, 'pullauthctl disable')
    assert edge.auths() == before and get(edge, QUAY)['Username'] == 'acme+edge'


@pytest.mark.parametrize('arguments', ['', 'fetch', 'get get', '--what'])
def test_what_is_no_verb_is_told_how_it_is_used(edge, arguments):
    done = run(edge, arguments, QUAY)
    assert done.returncode == 1 and done.stdout.startswith('Usage: docker-credential-pullauth <get|')


def test_a_daemon_that_is_not_there_is_an_error(edge):
    edge.stop()
    refused(edge, 'get', QUAY, 'pullauthd is not running')
    refused(edge, 'list', '', 'pullauthd is not running')


def test_a_bus_that_is_not_there_is_an_error(edge):
    refused(edge, 'get', QUAY, 'Cannot talk to the system bus',
            DBUS_SYSTEM_BUS_ADDRESS=f'unix:path={edge.directory}/none')


@needs_root
def test_polkit_decides_about_others(edge):
    refused(edge, 'get', QUAY, 'org.pullauth1.read-credential', uid=STRANGER_UID)
    polkit = edge.polkit()
    refused(edge, 'get', QUAY, 'polkit did not grant org.pullauth1.read-credential', uid=STRANGER_UID)
    polkit.allow('org.pullauth1.read-credential')
    assert get(edge, QUAY, uid=STRANGER_UID)['Secret'] == edge.worker.tokens[-1]


def test_a_reader_that_goes_is_no_crash(edge):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*WRAPPER, program(edge.directory, 'docker-credential-pullauth'), 'get'], input=QUAY,
                          text=True, stdout=writing, stderr=subprocess.PIPE, env=edge.environment(),
                          timeout=60 * SLOW)
    os.close(writing)
    assert done.returncode == 1 and 'Broken pipe' in done.stderr and edge.worker.tokens[-1] not in done.stderr
