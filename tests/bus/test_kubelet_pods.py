# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pods with robot accounts of their own: what kubelet's plugin and ExchangeToken() make of the token of a service
account, and what they never do with it."""

import json
import os
import subprocess

import pytest
from client import Gio, GLib
from fakeworker import Later, failure
from rig import ROOT, SLOW, STRANGER_UID, WRAPPER, program
from test_kubelet import IMAGE, QUAY, answer, decoded, failed, login, request, run

MANAGER, ERROR = 'org.pullauth1.Manager', 'org.pullauth1.Error.'
POD = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb2QtMSJ9.cG9kLXNpZ25hdHVyZQ'
CA = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'
needs_root = pytest.mark.skipif(not ROOT, reason='calls as several users can be made by root alone')


def pod(robot='acme+pod', token=POD, key='pullauth.org/robot', **more):
    return {'serviceAccountToken': token, 'serviceAccountAnnotations': {key: robot, 'unrelated': 'x'}, **more}


@pytest.fixture
def lender(host):
    """A job that lets pods be robot accounts of its registry."""
    host.standard()
    host.write('etc/pullauth/ca.pem', CA)
    host.job(more='PodRobots=acme+pod shop+*\nCAFile=/etc/pullauth/ca.pem\nProxy=http://proxy.example.com:3128\n')
    host.start()
    host.client.wait_job('edge', State='fresh')
    return host


def asked(host):
    """Requests to the worker but the one of the job."""
    return host.worker.requests[1:]


def test_a_pod_gets_the_credential_of_its_own_robot_account(lender):
    kind, span, auth = answer(lender, **pod())
    assert kind == 'Image' and auth == {f'{QUAY}/acme': login('acme+pod', lender.worker.tokens[-1])}
    assert 3200 < span <= 3300
    made, = asked(lender)
    assert (made['Robot'], made['Registry'], made['Source']) == ('acme+pod', QUAY, 'file')
    assert bytes(made['Token']).decode() == POD and made['Scopes'] == [f'{QUAY}/acme']
    assert bytes(made['CA']).decode().strip() == CA.strip() and made['Proxy'] == 'http://proxy.example.com:3128'


def test_the_same_token_is_exchanged_once(lender):
    first = answer(lender, **pod())
    assert answer(lender, f'{QUAY}/acme/other:2', **pod())[2] == first[2]
    assert len(asked(lender)) == 1
    answer(lender, **pod(token=f'{POD}x'))
    answer(lender, f'{QUAY}/shop/app', **pod('shop+till'))
    assert [made['Robot'] for made in asked(lender)] == ['acme+pod', 'acme+pod', 'shop+till']


def test_pulls_that_come_together_cause_one_exchange(lender):
    later = Later()
    lender.worker.answer = lambda _: later
    runs = [subprocess.Popen([*WRAPPER, program(lender.directory, 'pullauth-credential-provider')],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env=lender.environment()) for _ in range(3)]
    for run in runs:
        run.stdin.write(request(**pod()))
        run.stdin.close()
        run.stdin = None
    assert later.asked.wait(30 * SLOW)
    assert len(asked(lender)) <= 1
    later.send(lender.worker.credential({'Robot': 'acme+pod'}))
    said = [run.communicate()[0] for run in runs]
    assert {json.loads(text)['auth'][f'{QUAY}/acme']['password'] for text in said} == {lender.worker.tokens[-1]}
    assert len(asked(lender)) == 1


def test_near_its_end_a_credential_is_not_handed_out_again(lender):
    lender.worker.lifetime = 5
    answer(lender, **pod())
    lender.worker.wait(lambda: answer(lender, **pod()) and len(asked(lender)) >= 2, 'another exchange', 30 * SLOW)


def test_what_a_service_account_does_not_name_is_the_hosts(lender):
    host_login = login('acme+edge', lender.worker.tokens[0])
    assert answer(lender, serviceAccountToken=POD)[2] == {f'{QUAY}/acme': host_login}
    assert answer(lender, **pod('shop+till'))[2] == {f'{QUAY}/acme': host_login}, 'an image of another namespace'
    assert answer(lender, 'elsewhere.example.com/acme/app', **pod('other+pod')) == ('Image', 0, None)
    assert asked(lender) == []


def test_the_annotation_of_another_plugin_counts_too(lender):
    answer(lender, **pod(key='quay.io/federated-robot-account'))
    assert asked(lender)[0]['Robot'] == 'acme+pod'


def test_robots_that_no_job_allows_are_refused(lender):
    failed(lender, request(**pod('acme+edge')), "add PodRobots=acme+edge")
    failed(lender, request('elsewhere.example.com/acme/app', **pod()), 'No job at elsewhere.example.com')
    lender.job(more='PodRobots=acme+pod\nEnabled=no\n')
    lender.reload()
    failed(lender, request(**pod()), 'No job at quay.example.com lets pods be')
    assert asked(lender) == []


def test_a_refusal_of_the_registry_is_told_and_kept_for_nobody(lender):
    good, lender.worker.answer = lender.worker.answer, lambda _: failure(
        'subject-not-accepted', message='The registry does not trust this service account', Hint='Add it')
    failed(lender, request(**pod()), 'The registry does not trust this service account. Add it')
    lender.worker.answer = good
    assert answer(lender, **pod())[2]


def test_a_worker_that_lies_is_not_believed(lender):
    lender.worker.answer = lambda asked_for: lender.worker.credential({'Robot': 'acme+other'})
    failed(lender, request(**pod()), 'does not belong to this request')


def test_a_pull_that_is_given_up_ends_the_exchange(lender):
    later = Later()
    lender.worker.answer = lambda _: later
    run = subprocess.Popen([program(lender.directory, 'pullauth-credential-provider')], stdin=subprocess.PIPE,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, env=lender.environment())
    run.stdin.write(request(**pod()))
    run.stdin.close()
    assert later.asked.wait(30 * SLOW)
    run.kill()
    run.wait()
    lender.worker.wait(lambda: lender.worker.cancelled, 'the end of the exchange')


def test_nothing_of_a_token_or_its_credential_is_written(lender):
    answer(lender, **pod())
    assert lender.stop() == 0  # so that it has written what it has to, and nothing comes and goes
    found = [lender.log().encode()]
    for base, _, names in os.walk(lender.root):
        for name in names:
            path = os.path.join(base, name)
            if os.path.isfile(path) and not path.endswith('.sock'):
                with open(path, 'rb') as file:
                    found.append(file.read())
    text = b'\n'.join(found)
    assert POD.encode() not in text and lender.worker.tokens[-1].encode() not in text and b'acme+pod' in text


def exchange(host, image=IMAGE, robot='acme+pod', descriptors=(), connection=None):
    """The name of the error."""
    fds = Gio.UnixFDList.new_from_array([os.dup(fd) for fd in descriptors])
    with pytest.raises(GLib.Error) as caught:
        (connection or host.client.connection).call_with_unix_fd_list_sync(
            'org.pullauth1', '/org/pullauth1', MANAGER, 'ExchangeToken', GLib.Variant('(ssh)', (image, robot, 0)), None,
            0, 20000 * SLOW, fds, None)
    return Gio.dbus_error_get_remote_error(caught.value)


def test_the_token_is_a_sealed_file_in_memory_and_nothing_else(lender):
    loose = os.memfd_create('loose')
    os.write(loose, POD.encode())
    reading, writing = os.pipe()
    with open('/dev/zero', 'rb') as zero:
        for fd in (loose, reading, zero.fileno()):
            assert exchange(lender, descriptors=[fd]) == ERROR + 'InvalidArgument'
    assert exchange(lender, descriptors=[loose, loose]) == 'org.freedesktop.DBus.Error.AccessDenied'
    assert exchange(lender, robot='nobody', descriptors=[loose]) == ERROR + 'InvalidName'
    assert exchange(lender, image='../x', descriptors=[loose]) == ERROR + 'InvalidName'
    for fd in (loose, reading, writing):
        os.close(fd)
    assert asked(lender) == []


@needs_root
def test_polkit_decides_who_may_bring_a_token(lender):
    def bring():
        return run(lender, request(**pod()), uid=STRANGER_UID)
    assert 'org.pullauth1.read-credential' in bring().stderr
    stub = lender.polkitd()
    assert 'polkit did not grant' in bring().stderr
    assert stub.questions[-1][1] == {'job': 'edge', 'registry': QUAY} and asked(lender) == []
    stub.stop()
    lender.polkit().allow('org.pullauth1.read-credential')
    done = bring()
    assert done.returncode == 0 and decoded(done.stdout)[2] and len(asked(lender)) == 1
