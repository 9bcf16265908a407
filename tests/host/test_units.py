# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed beside the programs: units, user, directories, policies, catalog. No job is needed for this."""

import os
import re
import socket
import stat

import pytest
from gi.repository import GLib
from limits import slow

from systembus import BusError

UNITS = '/usr/lib/systemd/system'
SOCKET = '/run/pullauth/worker.sock'
BUS = ('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus')
ADMINISTRATOR, ADMINISTRATOR_KEPT = 2, 4  # of polkit's implicit authorizations


def test_systemd_finds_nothing_wrong_in_the_units(machine):
    checked = machine.run('systemd-analyze', 'verify', '--man=no', *[
        f'{UNITS}/{unit}' for unit in ('pullauthd.service', 'pullauth-credential.socket', 'pullauth-ready.target',
                                       'pullauth-wait@.service', 'pullauth-worker.service',
                                       'pullauth-worker.socket')])
    assert checked.stdout == ''


@pytest.mark.parametrize('drop_in, unit', [
    ('drop-ins/after-ready.conf', 'podman-auto-update.service'),
    ('drop-ins/unit-credential.conf', 'podman-auto-update.service'),
    ('pullauthd.service.d/homes.conf', 'pullauthd.service')])
def test_drop_ins_are_good_for_what_the_recipes_link_them_to(machine, top, drop_in, unit):
    shipped = f'/usr/share/pullauth/{drop_in}'
    with open(os.path.join(top, 'docs', 'consumers.md'), encoding='utf-8') as page:
        text = page.read()
    assert os.path.basename(drop_in) in text and unit in text
    copy, link = f'/run/systemd/verify/{unit}', f'/run/systemd/verify/{unit}.d/shipped.conf'
    machine.write(copy, machine.read(f'{UNITS}/{unit}'))
    machine.run('mkdir', '-p', os.path.dirname(link))
    machine.run('ln', '-sf', shipped, link)
    assert machine.run('systemd-analyze', 'verify', '--man=no', copy).stdout == ''
    machine.run('rm', '-r', '/run/systemd/verify')


@pytest.mark.parametrize('unit, most', [('pullauthd.service', 10), ('pullauth-worker.service', 12),
                                        ('pullauth-wait@.service', 10)])
def test_the_sandbox_leaves_little_exposed(machine, unit, most):
    """In tenths: 1.0 and 1.2."""
    machine.run('systemd-analyze', 'security', '--offline=yes', f'--threshold={most}', f'{UNITS}/{unit}')


def test_the_user_owns_nothing_and_cannot_log_in(machine):
    name, _, _, _, _, home, shell = machine.run('getent', 'passwd', 'pullauth').stdout.strip().split(':')
    assert (name, home) == ('pullauth', '/')
    assert shell.endswith('nologin')
    assert 1 <= int(machine.run('id', '-u', 'pullauth').stdout) < 1000


@pytest.mark.parametrize('path, owner, mode', [
    ('/run/pullauth', 'pullauth', 0o755),
    ('/run/pullauth/jobs', 'pullauth', 0o755),
    ('/etc/containers', 'root', 0o755),
    ('/run/containers', 'root', 0o755),
    ('/run/containers/0', 'root', 0o700),
    ('/root/.config/containers', 'root', 0o700),
    ('/etc/pullauth', 'root', 0o755),
    ('/etc/pullauth/identities', 'root', 0o755),
    ('/etc/pullauth/jobs', 'root', 0o755),
])
def test_directories_are_there_before_the_daemon(machine, path, owner, mode):
    assert machine.run('stat', '-c', '%F %U %G %a', path).stdout.strip() == f'directory {owner} {owner} {mode:o}'


def test_the_preset_enables_service_and_sockets(machine):
    units = ('pullauthd.service', 'pullauth-worker.socket', 'pullauth-credential.socket')
    machine.run('systemctl', 'preset', *units)
    assert machine.run('systemctl', 'is-enabled', *units).stdout.split() == ['enabled'] * len(units)
    machine.run('systemctl', 'disable', *units)


def test_polkit_knows_the_actions_and_asks_for_an_administrator(machine):
    actions = machine.bus.call('org.freedesktop.PolicyKit1', '/org/freedesktop/PolicyKit1/Authority',
                               'org.freedesktop.PolicyKit1.Authority', 'EnumerateActions',
                               GLib.Variant('(s)', ('',)))
    ours = {action[0]: action[6:9] for action in actions if action[0].startswith('org.pullauth1.')}
    kept, each_time = (ADMINISTRATOR, ADMINISTRATOR, ADMINISTRATOR_KEPT), (ADMINISTRATOR,) * 3
    assert ours == {'org.pullauth1.refresh': kept, 'org.pullauth1.reload': kept,
                    'org.pullauth1.manage-jobs': each_time, 'org.pullauth1.read-credential': each_time}


def test_the_bus_takes_the_policy_without_complaint(machine):
    complaints = []

    def is_done(entry):
        text = entry['MESSAGE']
        if entry.get('SYSLOG_IDENTIFIER') == 'dbus-daemon' and 'pullauth' in text:
            complaints.append(text)
        return text.endswith('Reloaded configuration')

    with machine.following() as wait:
        machine.bus.call(*BUS, 'ReloadConfig')
        wait(is_done)
    assert complaints == []


def test_not_even_root_can_take_the_name(machine):
    with pytest.raises(BusError) as refused:
        machine.bus.call(*BUS, 'RequestName', GLib.Variant('(su)', ('org.pullauth1', 4)))
    assert refused.value.name == 'org.freedesktop.DBus.Error.AccessDenied'


def test_the_name_can_be_activated(machine):
    assert 'org.pullauth1' in machine.bus.call(*BUS, 'ListActivatableNames')


def test_the_catalog_explains_each_message(machine, top):
    with open(os.path.join(top, 'src', 'model', 'message-id.h'), encoding='utf-8') as header:
        ids = re.findall(r'"([0-9a-f]{32})"', header.read())
    text = machine.run('journalctl', '--dump-catalog', *ids).stdout
    assert re.findall(r'^-- ([0-9a-f]{32})$', text, re.MULTILINE) == ids
    assert text.count('\nSubject: ') == len(ids)


def test_the_workers_socket_is_for_the_daemon_alone(machine):
    machine.run('systemctl', 'start', 'pullauth-worker.socket')
    found = os.stat(machine.path(SOCKET))
    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert machine.run('stat', '-c', '%U', SOCKET).stdout.strip() == 'pullauth'


def test_the_socket_goes_with_its_unit(machine):
    machine.run('systemctl', 'start', 'pullauth-worker.socket')
    machine.run('systemctl', 'stop', 'pullauth-worker.socket')
    assert not machine.exists(SOCKET)


def crashes(machine):
    return len([entry for entry in machine.journal('-u', 'pullauth-worker.service')
                if entry.get('UNIT_RESULT') == 'exit-code'])


def test_a_worker_that_crashes_at_start_fifty_times_leaves_the_socket_listening(machine):
    """Each connection is closed unanswered, none of them waits for the next start, and no limit ends it all."""
    drop_in = '/run/systemd/system/pullauth-worker.service.d/crash.conf'
    machine.write(drop_in, '[Service]\nExecStart=\nExecStart=/bin/false\n')
    machine.run('systemctl', 'daemon-reload')
    # Of another test: a refresh may be due now, or its worker be there still, which would take the connections.
    machine.run('systemctl', 'stop', 'pullauthd.service', 'pullauth-worker.service')
    machine.run('systemctl', 'start', 'pullauth-worker.socket')
    before = crashes(machine)
    try:
        for _ in range(50):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(30 * slow())
                client.connect(machine.path(SOCKET))
                try:
                    assert client.recv(1) == b''
                except ConnectionResetError:
                    pass
            machine.units.wait_substate('pullauth-worker.socket', 'listening')
        assert machine.units.state('pullauth-worker.socket') == 'active'
        assert crashes(machine) == before + 50
    finally:
        machine.remove(drop_in)
        machine.run('systemctl', 'daemon-reload')
        machine.run('systemctl', 'reset-failed', 'pullauth-worker.service', check=False)
        machine.run('systemctl', 'stop', 'pullauth-worker.socket')
