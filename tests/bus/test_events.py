# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ends a wait early, and files that other programs rewrite."""

import base64
import json
import math
import os
import time

import pytest
from client import Gio, GLib
from fakeworker import Later, failure
from rig import SLOW

KEY = 'quay.example.com/acme'
SYSTEM = 'etc/containers/auth.json'


BELIEVED = 'ending the waits for it'


def heard(host, job='edge'):
    """How often the daemon said that something ended a wait of the job."""
    return host.log().count(f"Job '{job}': something happened that may end")


def touching(host, directory):
    return lambda: os.chmod(host.path(directory), 0o755)


def fail_often(host, happen):
    """Lets something happen that may end the wait, until the job's own time to try again is most of a minute away: a
    daemon that is slow to hear of something must not come to it at its own time. Returns how often it heard of this,
    and that time."""
    for number in range(2, 6):
        happen()
        host.client.wait_job('edge', State='expired', AttemptsEnded=lambda n, least=number: n >= least)
    told = heard(host)
    job = host.client.wait_job('edge', State='expired', NextAttempt=lambda usec: usec > (time.time() + 10) * 10**6)
    return told, job['NextAttempt']


def ended_early(host, job='edge', since=(0, math.inf), **wanted):
    """What happened ended the wait, and not the time: the daemon tells, however late we come to look."""
    found = host.client.wait_job(job, **wanted)
    told, planned = since
    assert heard(host, job) > told and found['LastAttempt'] < planned
    return found


def waiting(host, reason, **more):
    """A job that failed once and waits; from here on the registry would take it."""
    host.standard()
    host.worker.answer = lambda request: failure(reason, **more)
    host.start()
    job = host.client.wait_job('edge', Reason=reason)
    host.worker.answer = host.worker.credential
    assert job['NextAttempt'] > job['LastAttempt'] + 10**6
    return host


def test_a_token_file_that_appears_ends_the_wait(host):
    host.standard()
    os.unlink(host.path('tokens/token'))
    host.start()
    host.client.wait_job('edge', Reason='token-file-missing')
    before = fail_often(host, touching(host, 'tokens'))
    host.token()
    ended_early(host, since=before, State='fresh')


def test_a_projected_token_that_is_swapped_ends_the_wait(host):
    host.identity(token='/tokens/link')
    host.token('first.token.text', 'tokens/..1/token')
    os.symlink('..1', host.path('tokens/..data'))
    os.symlink('..data/token', host.path('tokens/link'))
    host.job()
    host.worker.answer = lambda request: (
        host.worker.credential(request) if bytes(request['Token']) == b'second.token.text' else
        failure('token-audience', 'identity'))
    host.start()
    host.client.wait_job('edge', Reason='token-audience')
    host.token('second.token.text', 'tokens/..2/token')
    os.symlink('..2', host.path('tokens/..data.new'))
    os.rename(host.path('tokens/..data.new'), host.path('tokens/..data'))
    ended_early(host, State='fresh')


def test_a_directory_that_takes_the_place_of_another_is_watched(host):
    host.standard()
    os.unlink(host.path('tokens/token'))
    host.start()
    host.client.wait_job('edge', Reason='token-file-missing')
    host.write('tokens2/other', '')
    os.rename(host.path('tokens'), host.path('tokens.old'))
    os.rename(host.path('tokens2'), host.path('tokens'))
    host.client.wait_job('edge', State='expired', AttemptsEnded=lambda n: n > 1)  # the other directory was seen
    before = fail_often(host, touching(host, 'tokens'))
    host.token()
    ended_early(host, since=before, State='fresh')


def test_a_rejected_job_tries_again_when_its_token_changes(host):
    waiting(host, 'subject-not-accepted', HTTPStatus=400)
    host.token('another.token.text')
    ended_early(host, State='fresh')


def test_a_ca_file_that_changes_ends_the_wait_for_trust(host):
    pem = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'
    host.write('etc/ca.pem', pem)
    host.identity()
    host.token()
    host.job(more='CAFile=/etc/ca.pem\n')
    host.worker.answer = lambda request: failure('tls-untrusted')
    host.start()
    host.client.wait_job('edge', Reason='tls-untrusted')
    host.worker.answer = host.worker.credential
    host.token('another.token.text')  # not what it waits for
    host.write('etc/ca.pem', pem + pem)
    ended_early(host, State='fresh')
    assert len(host.worker.requests) == 2 and bytes(host.worker.requests[1]['CA']).decode() == pem + pem


OAUTH2 = ('Source=oauth2\nIssuer=https://login.example\nClientID=edge\nClientSecretFile=/etc/secret\n'
          'CAFile=/etc/ca.pem\n')
EXCHANGE = ('Exchange=oauth2\nUsername=edge\n[Exchange]\nTokenEndpoint=https://sts.example/token\nClientID=edge\n'
            'ClientSecretFile=/etc/secret\nCAFile=/etc/ca.pem\n')


def needs_files(host, owner):
    """An identity or an exchange with files of its own."""
    host.write('etc/ca.pem', '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n')
    host.write('etc/secret', 'secret', 0o600)
    if owner == 'identity':
        host.write('etc/pullauth/identities/default.identity', f'[Identity]\nAudience=quay\n{OAUTH2}')
        host.job()
    else:
        host.standard()
        host.write('etc/pullauth/jobs/edge.job', f'[Job]\nRegistry=quay.example.com\n{EXCHANGE}')


@pytest.mark.parametrize('owner', ['identity', 'exchange'])
def test_another_ca_file_of_the_one_who_is_asked_ends_the_wait_for_trust(host, owner):
    needs_files(host, owner)
    host.worker.answer = lambda request: failure('tls-untrusted')
    host.start()
    host.client.wait_job('edge', Reason='tls-untrusted')
    host.worker.answer = lambda request: failure('timeout')
    host.write('etc/secret', 'another', 0o600)  # not what it waits for
    pem = host.read('etc/ca.pem').decode()
    host.write('etc/ca.pem', pem + pem)
    ended_early(host, Reason='timeout')
    request = host.worker.requests[1]
    assert bytes((request.get('Secrets') or request['ExchangeSecrets'])['CAFile']).decode() == (pem + pem).rstrip()


@pytest.mark.parametrize('owner', ['identity', 'exchange'])
def test_a_secret_that_appears_ends_the_wait_for_it(host, owner):
    needs_files(host, owner)
    os.unlink(host.path('etc/secret'))
    host.worker.answer = lambda request: failure('timeout')
    host.start()
    host.client.wait_job('edge', Reason='identity-file-unreadable')
    before = fail_often(host, touching(host, 'etc'))
    host.write('etc/secret', 'secret', 0o600)
    ended_early(host, since=before, Reason='timeout')


def signal(host, name, path, interface, member, arguments):
    """Tells it as the service of that name would."""
    flags = Gio.DBusConnectionFlags
    connection = Gio.DBusConnection.new_for_address_sync(
        host.address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
    connection.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'RequestName',
                         GLib.Variant('(su)', (name, 0)), None, Gio.DBusCallFlags.NONE, -1, None)
    connection.emit_signal(None, path, interface, member, arguments)
    # An answer of the bus: it has passed the signal on, and whatever we send next comes after it.
    connection.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'GetId', None, None,
                         Gio.DBusCallFlags.NONE, -1, None)
    connection.close_sync(None)


EVENTS = {
    'NetworkManager': ('org.freedesktop.NetworkManager', '/org/freedesktop/NetworkManager',
                       'org.freedesktop.NetworkManager', 'StateChanged', GLib.Variant('(u)', (70,))),
    'networkd': ('org.freedesktop.network1', '/org/freedesktop/network1', 'org.freedesktop.DBus.Properties',
                 'PropertiesChanged', GLib.Variant('(sa{sv}as)', ('org.freedesktop.network1.Manager', {
                     'CarrierState': GLib.Variant('s', 'carrier'),
                     'OperationalState': GLib.Variant('s', 'routable')}, []))),
    'resume': ('org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager',
               'PrepareForSleep', GLib.Variant('(b)', (False,))),
}
NO_EVENTS = {
    'NetworkManager': (*EVENTS['NetworkManager'][:4], GLib.Variant('(u)', (20,))),
    'networkd': (*EVENTS['networkd'][:4], GLib.Variant('(sa{sv}as)', ('org.freedesktop.network1.Manager', {
        'OperationalState': GLib.Variant('s', 'no-carrier')}, []))),
    'suspend': (*EVENTS['resume'][:4], GLib.Variant('(b)', (True,))),
}


@pytest.mark.parametrize('event', EVENTS)
def test_a_network_that_comes_up_ends_the_wait_for_it(host, event):
    """utilitywarehouse/tf_kube_ignition#148: started when there was no network yet, it failed for good."""
    def happen():
        signal(host, *EVENTS[event])
    host.standard()
    host.worker.answer = lambda request: failure('name-resolution')
    host.start()
    host.client.wait_job('edge', Reason='name-resolution')
    before = fail_often(host, happen)
    host.worker.answer = host.worker.credential
    happen()
    ended_early(host, since=before, State='fresh')
    assert BELIEVED in host.log()


@pytest.mark.parametrize('event', EVENTS)
def test_events_that_anyone_sends_to_us_alone_are_not_believed(host, event):
    waiting(host, 'name-resolution')
    name, path, interface, member, arguments = EVENTS[event]
    host.client.connection.emit_signal('org.pullauth1', path, interface, member, arguments)
    host.client.job('edge')  # which comes after it
    assert BELIEVED not in host.log() and not heard(host)


def test_what_is_no_such_event_ends_no_wait(host):
    waiting(host, 'tls-untrusted')
    before = host.client.job('edge', 'NextAttempt')
    for arguments in [*EVENTS.values(), *NO_EVENTS.values()]:
        signal(host, *arguments)
    assert host.client.job('edge', 'NextAttempt') == before and len(host.worker.requests) == 1


def test_what_happens_during_an_attempt_is_not_lost(host):
    """The attempt read the old token; that the new one came meanwhile must not cost it a wait."""
    def answer(request):
        if bytes(request['Token']) != b'old.token.text':
            return host.worker.credential(request)
        return held if request['Robot'] == 'acme+held' else failure('token-audience', 'identity')
    held = Later()
    host.identity()
    host.token('old.token.text')
    host.worker.answer = answer
    host.job('held', more='Scopes=acme/held\n')
    host.job('other', more='Scopes=acme/other\n')
    host.start(wait=False)
    host.worker.wait(held.asked.is_set, 'the first attempt')
    host.client.wait(host.client.owner, 'the name')
    host.client.wait_job('other', State='expired')
    host.token('new.token.text')
    ended_early(host, 'other', State='fresh')  # so it was heard, by both
    held.send(failure('token-audience', 'identity'))
    ended_early(host, 'held', State='fresh')


def test_reloads_that_change_a_job_make_no_storm_of_attempts(host):
    """However long they take: there is one attempt in five seconds."""
    waiting(host, 'subject-not-accepted', HTTPStatus=400)
    host.worker.answer = lambda request: failure('subject-not-accepted', HTTPStatus=400)
    first = host.client.job('edge')['LastAttempt']
    for number in range(20):
        host.job(more=f'Proxy=http://proxy{number}.example:3128\n')
        host.reload()
    job = host.client.wait_job('edge', State='failed')
    assert host.worker.requests[-1]['Proxy'] == 'http://proxy19.example:3128'
    assert job['LastAttempt'] - first >= (job['AttemptsStarted'] - 1) * (5 * 10**6 - 10**5)
    assert 2 <= len(host.worker.requests) <= job['AttemptsStarted']


def test_a_reload_that_changes_nothing_of_the_exchange_ends_no_wait(edge):
    edge.worker.answer = lambda request: failure('subject-not-accepted', HTTPStatus=400)
    edge.client.call('org.pullauth1.Manager', 'RefreshAll')
    before = edge.client.wait_job('edge', State='retrying')
    edge.job(more='Scopes=acme/app\nMinimumRemaining=30min\n')
    edge.reload()
    after = edge.client.wait_job('edge', Scopes=['quay.example.com/acme/app'])
    assert after['State'] == 'retrying' and abs(after['NextAttempt'] - before['NextAttempt']) < 10**6
    assert len(edge.worker.requests) == 2


def test_a_host_that_cannot_be_woken_says_so_once_and_goes_on(host):
    host.standard()
    host.job(more='WakeSystem=yes\n')
    host.worker.lifetime = 5 * SLOW
    host.start()
    host.client.wait_job('edge', timeout=30, Refreshes=lambda n: n >= 2)
    assert host.log().count('WakeSystem=yes does not wake this host') == 1


def rewrite_without(host, keep):
    host.write(SYSTEM, json.dumps({'auths': keep}), 0o600)


def test_a_target_that_is_rewritten_is_mended_at_once_and_keeps_what_the_other_wrote(edge):
    keep = {'docker.io': {'auth': 'Zm9vOmJhcg=='}}
    rewrite_without(edge, keep)
    edge.wait_file(SYSTEM, lambda: KEY in edge.auths())
    assert edge.auths()['docker.io'] == keep['docker.io'] and len(edge.worker.requests) == 1
    edge.client.poll(lambda: 'changed by another program' in edge.log(), 'a word about it')


def test_a_target_that_is_removed_comes_back(edge):
    os.unlink(edge.path(SYSTEM))
    edge.wait_file(SYSTEM, lambda: edge.auths() is not None and KEY in edge.auths())


def test_a_link_in_the_place_of_a_target_is_replaced_by_a_file(edge):
    edge.write('etc/elsewhere.json', json.dumps({'auths': {'ghcr.io': {'auth': 'Zm9vOmJhcg=='}}}), 0o600)
    os.symlink('../elsewhere.json', edge.path('etc/containers/new'))
    os.rename(edge.path('etc/containers/new'), edge.path(SYSTEM))
    edge.wait_file(SYSTEM, lambda: not os.path.islink(edge.path(SYSTEM)))
    assert sorted(edge.auths()) == ['ghcr.io', KEY]
    assert KEY not in edge.auths('etc/elsewhere.json')


def test_a_value_of_ours_that_was_changed_is_put_right(edge):
    rewrite_without(edge, {KEY: {'auth': base64.b64encode(b'acme+edge:old').decode()}})
    good = base64.b64encode(f'acme+edge:{edge.worker.tokens[0]}'.encode()).decode()
    edge.wait_file(SYSTEM, lambda: edge.auths()[KEY]['auth'] == good)


def test_rewriting_does_not_become_a_fight(edge):
    for number in range(5):
        rewrite_without(edge, {'docker.io': {'auth': 'Zm9vOmJhcg==', 'n': number}})
        edge.wait_file(SYSTEM, lambda: KEY in edge.auths())
    edge.client.poll(lambda: 'more slowly' in edge.log(), 'a word about it')
    rewrite_without(edge, {'docker.io': {'auth': 'Zm9vOmJhcg==', 'n': 5}})
    edge.wait_file(SYSTEM, lambda: KEY in edge.auths())
    assert edge.auths()['docker.io']['n'] == 5


def test_retained_credentials_stay_after_their_end_and_over_a_restart(host):
    host.standard()
    host.job(more='OnExpiry=retain\n')
    host.worker.lifetime = 3
    host.start()
    host.client.wait_job('edge', State='fresh')
    host.worker.answer = lambda request: failure('connection-failed')
    host.client.wait_job('edge', State='expired')
    assert KEY in host.auths()
    host.restart()
    host.client.wait_job('edge', State='expired')
    assert KEY in host.auths()
    host.job()
    host.reload()
    host.wait_file(SYSTEM, lambda: KEY not in host.auths())
