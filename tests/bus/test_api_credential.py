# SPDX-License-Identifier: LGPL-2.1-or-later
"""GetCredential and RenderTarget: secrets for those who may have them, in a file that nobody can change, and never in
a message."""

import base64
import fcntl
import json
import os
import subprocess

import pytest
from client import Gio, GLib
from fakeworker import failure
from rig import ROOT, SLOW, STRANGER_UID

MANAGER, ERROR = 'org.pullauth1.Manager', 'org.pullauth1.Error.'
SYSTEM = 'etc/containers/auth.json'
SEALS = 0x1 | 0x2 | 0x4 | 0x8  # F_SEAL_SEAL, _SHRINK, _GROW, _WRITE
F_GET_SEALS = 1034
KEY = 'quay.example.com/acme'
needs_root = pytest.mark.skipif(not ROOT, reason='calls as several users can be made by root alone')


def credential(host, method, argument):
    values = host.client.call_with_descriptor(method, 's', argument)
    fd = next(value for value in values if isinstance(value, int) and value < 1000)
    with os.fdopen(fd, 'rb') as file:
        seals = fcntl.fcntl(file.fileno(), F_GET_SEALS)
        return [value for value in values if value != fd], file.read(), seals


def entry(host, serial=-1, robot='acme+edge'):
    return base64.b64encode(f'{robot}:{host.worker.tokens[serial]}'.encode()).decode()


def test_a_credential_is_a_file_that_nobody_can_change(edge):
    values, text, seals = credential(edge, 'GetCredential', 'edge')
    assert json.loads(text) == {'auths': {KEY: {'auth': entry(edge)}}}
    assert values == [edge.client.job('edge', 'Expires')]
    assert seals & SEALS == SEALS


def test_it_has_the_scopes_of_that_job_alone(edge):
    edge.write(SYSTEM, json.dumps({'auths': {'foreign.example.com': {'auth': 'Zm9yZWlnbg=='}}}))
    edge.job('other', robot='other+robot', more='Scopes=other/a other/b\n')
    edge.reload()
    edge.client.wait_job('other', State='fresh')
    text = credential(edge, 'GetCredential', 'other')[1]
    assert sorted(json.loads(text)['auths']) == ['quay.example.com/other/a', 'quay.example.com/other/b']


def test_an_image_finds_its_job(edge):
    edge.job('app', robot='acme+app', more='Scopes=acme/app\n')
    edge.reload()
    edge.client.wait_job('app', State='fresh')
    values, text, _seals = credential(edge, 'GetCredentialForImage', 'quay.example.com/acme/app:1')
    assert values == ['app', f'{KEY}/app', edge.client.job('app', 'Expires')]
    assert json.loads(text) == {'auths': {f'{KEY}/app': {'auth': entry(edge, robot='acme+app')}}}
    assert credential(edge, 'GetCredentialForImage', 'quay.example.com/acme/apple')[0][:2] == ['edge', KEY]


def test_errors_say_what_to_do(host):
    host.standard()
    host.worker.answer = lambda request: failure('robot-unknown', message='There is no such robot')
    host.job('off', robot='other+off', more='Enabled=no\n')
    host.start()
    client = host.client
    client.wait_job('edge', State='failed')
    name, text = client.error_of(MANAGER, 'GetCredential', 's', 'edge')
    assert name == ERROR + 'NoCredential' and 'There is no such robot' in text and client.job('edge', 'Hint') in text
    name, text = client.error_of(MANAGER, 'GetCredential', 's', 'off')
    assert name == ERROR + 'JobDisabled' and 'pullauthctl enable off' in text
    for method in ('GetCredential', 'GetCredentialForImage', 'RenderTarget'):
        assert client.error_of(MANAGER, method, 's', '../x')[0] == ERROR + 'InvalidName'
    assert client.error_of(MANAGER, 'GetCredential', 's', 'nobody')[0] == ERROR + 'NoSuchJob'
    assert client.error_of(MANAGER, 'GetCredentialForImage', 's', 'elsewhere.example.com/a')[0] == ERROR + 'NoSuchJob'
    name, text = client.error_of(MANAGER, 'RenderTarget', 's', 'nowhere')
    assert name == ERROR + 'NoSuchTarget' and 'system' in text


def test_an_ended_credential_is_not_handed_out(host):
    host.standard()
    host.job(more='OnExpiry=retain\n')
    host.worker.lifetime = 3
    host.start()
    host.client.wait_job('edge', State='fresh')
    host.worker.answer = lambda request: failure('timeout')
    host.client.wait_job('edge', State='expired')
    assert host.auths(), 'it stands in its target'
    assert host.client.error_of(MANAGER, 'GetCredential', 's', 'edge')[0] == ERROR + 'NoCredential'


def test_a_target_is_rendered_without_its_secrets(edge):
    foreign = '{\n  "auths": {\n    "docker.io": { "identitytoken": "very-secret", "x": 17 }\n  },\n' \
              '  "credsStore": "pass", "HttpHeaders": {"X": "very-secret"}\n}\n'
    edge.write(SYSTEM, foreign)
    text = edge.client.call(MANAGER, 'RenderTarget', 's', 'system')
    rendered = json.loads(text)
    assert rendered['auths'] == {'docker.io': {'identitytoken': '(hidden)', 'x': '(hidden)'},
                                 KEY: {'auth': '(hidden)'}}
    assert rendered['credsStore'] == 'pass' and rendered['HttpHeaders'] == {'X': '(hidden)'}
    assert 'very-secret' not in text and entry(edge) not in text
    edge.wait_file(SYSTEM, lambda: KEY in edge.auths())
    written = edge.read(SYSTEM).decode()
    for secret in ('very-secret', entry(edge)):
        written = written.replace(secret, '(hidden)')
    assert written.replace('17', '"(hidden)"') == edge.client.call(MANAGER, 'RenderTarget', 's', 'system')


def test_what_is_rendered_is_not_written(host):
    host.standard()
    host.job(more='Targets=podman\n')
    host.start()
    host.client.wait_job('edge', State='fresh')
    assert host.client.call(MANAGER, 'RenderTarget', 's', 'system') == ''
    assert not os.path.exists(host.path(SYSTEM))
    os.rmdir(host.path('etc/containers'))
    assert host.client.call(MANAGER, 'RenderTarget', 's', 'system') == ''
    assert not os.path.exists(host.path('etc/containers'))
    host.reload()
    host.client.call(MANAGER, 'RefreshAll')
    host.client.wait_job('edge', Refreshes=2, State='fresh')
    assert not os.path.exists(host.path('etc/containers')), 'a target that nothing is for needs no directory'


@pytest.mark.parametrize('content, words', [('{"auths": {"a": {"auth": s3cret}}}', 'column 26'), ('[]', 'object')])
def test_a_target_that_is_not_understood(edge, content, words):
    edge.write(SYSTEM, content)
    name, text = edge.client.error_of(MANAGER, 'RenderTarget', 's', 'system')
    assert name == ERROR + 'TargetFailed' and words in text and 's3cret' not in text
    edge.client.wait_job('edge', Reason='target-malformed')  # now the daemon has come by to mend it
    assert edge.read(SYSTEM) == content.encode()


@needs_root
@pytest.mark.parametrize('method, argument', [('GetCredential', 'edge'), ('RenderTarget', 'system'),
                                              ('GetCredentialForImage', 'quay.example.com/acme/x')])
def test_nobody_gets_it_without_polkit(edge, method, argument):
    command = ('call', 'org.pullauth1', '/org/pullauth1', MANAGER, method, 's', argument)

    def refused():
        result = edge.busctl(*command)
        return result.returncode != 0 and ('not authorized' in result.stderr.lower() or
                                           'access denied' in result.stderr.lower())
    assert refused()
    polkit = edge.polkit()
    assert refused()
    polkit.allow('org.pullauth1.refresh', 'org.pullauth1.reload')
    assert refused()
    polkit.allow('org.pullauth1.read-credential')
    result = edge.busctl(*command)
    assert result.returncode == 0, result.stderr


@needs_root
def test_another_user_reads_it_through_its_descriptor(edge):
    """As `--authfile /dev/fd/N` of a tool would."""
    polkit = edge.polkit()
    polkit.allow('org.pullauth1.read-credential')
    script = '''if True:
        import gi, os, subprocess, sys
        from gi.repository import Gio, GLib
        flags = Gio.DBusConnectionFlags
        connection = Gio.DBusConnection.new_for_address_sync(
            sys.argv[1], flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
        reply, fds = connection.call_with_unix_fd_list_sync(
            'org.pullauth1', '/org/pullauth1', 'org.pullauth1.Manager', 'GetCredential',
            GLib.Variant('(s)', ('edge',)), None, 0, -1, None, None)
        fd = fds.get(reply.unpack()[0])
        os.set_inheritable(fd, True)
        print(open(f'/proc/self/fd/{fd}').read(), end='')
        try:
            open(f'/proc/self/fd/{fd}', 'wb')
        except OSError as error:
            print('not writable', error.errno)
        else:
            os.write(fd, b'x')
        '''
    result = edge.run_as(STRANGER_UID, '/usr/bin/python3', '-c', script, edge.address)
    assert json.loads(result.stdout.split('not writable')[0]) == {'auths': {KEY: {'auth': entry(edge)}}}
    assert 'not writable' in result.stdout or 'PermissionError' in result.stderr


@needs_root
def test_a_listener_on_the_bus_sees_no_secret(edge):
    """dbus-monitor as root sees every message of this bus, and none has a token, in any of its spellings."""
    log = os.path.join(edge.directory, 'monitor')
    with open(log, 'wb') as file:
        monitor = subprocess.Popen(['dbus-monitor', '--pcap', '--address', edge.address], stdout=file,
                                   stderr=subprocess.DEVNULL)
    edge.others.append(monitor)

    def heard():
        edge.client.call('org.pullauth1.Manager', 'ListJobs')
        with open(log, 'rb') as file:
            return b'ListJobs' in file.read()
    edge.client.poll(heard, 'the monitor')
    edge.client.call(MANAGER, 'RefreshAll')
    edge.client.wait_job('edge', Refreshes=2)
    credential(edge, 'GetCredential', 'edge')
    credential(edge, 'GetCredentialForImage', 'quay.example.com/acme/x')
    edge.client.call(MANAGER, 'RenderTarget', 's', 'system')
    edge.client.call(MANAGER, 'GetMetrics')
    edge.client.call('org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')

    def all_heard():
        edge.client.error_of(MANAGER, 'GetJob', 's', 'the-last-of-all')
        with open(log, 'rb') as file:
            return b'the-last-of-all' in file.read()
    edge.client.poll(all_heard, 'the rest')
    monitor.terminate()
    monitor.wait()
    with open(log, 'rb') as file:
        seen = file.read()
    assert b'GetCredential' in seen and b'(hidden)' in seen
    spellings = [secret.encode() for serial, secret in enumerate(edge.worker.tokens)]
    spellings += [entry(edge, serial).encode() for serial in range(len(edge.worker.tokens))]
    logged = edge.log().encode()
    for secret in spellings:
        signature = secret.rsplit(b'.', 1)[-1][-24:]
        assert secret not in seen and secret not in logged
        assert signature not in seen and signature not in logged


def test_descriptors_of_callers_do_not_come_in(edge):
    """The bus refuses them; should it not, they are gone with the message."""
    def open_descriptors():
        return len(os.listdir(f'/proc/{edge.daemon.pid}/fd'))
    before = open_descriptors()
    for interface, method, signature, arguments in (
            (MANAGER, 'GetJob', '(s)', ('edge',)), (MANAGER, 'WaitJobs', '(ast)', ([], 60000000)),
            (MANAGER, 'RefreshJob', '(s)', ('edge',)), ('org.freedesktop.DBus.Peer', 'Ping', '()', ())):
        with open('/dev/null', 'rb') as null:
            fds = Gio.UnixFDList.new_from_array([os.dup(null.fileno()) for _ in range(4)])
        with pytest.raises(GLib.Error) as caught:
            edge.client.connection.call_with_unix_fd_list_sync(
                'org.pullauth1', '/org/pullauth1', interface, method, GLib.Variant(signature, arguments), None, 0,
                20000 * SLOW, fds, None)
        assert Gio.dbus_error_get_remote_error(caught.value) == 'org.freedesktop.DBus.Error.AccessDenied'
    # What the refresh before had open may have been counted, and be gone by now: four times four would show.
    edge.client.poll(lambda: open_descriptors() <= before, 'an end of descriptors')
    assert edge.client.job('edge', 'State') == 'fresh'
