# SPDX-License-Identifier: LGPL-2.1-or-later
"""Credentials that real units get at their start, and who starts when at a boot."""

import json
import os
import secrets
import socket

import pytest
from product import CREDENTIAL_SOCKET, DAEMON, SYSTEM, Entry
from quaysim.client import EXCHANGE

APP, OTHER = 'app.service', 'other.service'
UPDATE = 'podman-auto-update.service'
DROP_INS = '/usr/share/pullauth/drop-ins'
UNITS = '/etc/systemd/system'
SEEN = '/run/seen'
READY, WAIT = 'pullauth-ready.target', 'pullauth-wait@edge.service'
PATIENCE_OVER = 'Some first refreshes are still under way'
# No target that podman looks at by itself: what it pulls, it pulls with the unit's credential.
ALLOWED = 'Targets=system\nUnits=app.service podman-auto-update.service\n'


class Service:
    """Units of the machine, with the drop-ins that are installed."""

    def __init__(self, machine):
        self.machine = machine
        self.written = []

    def write(self, unit, exec_start, drop_in='unit-credential.conf', more=''):
        self.file(f'{UNITS}/{unit}', f'[Unit]\nDescription=Test\n{more}\n[Service]\nType=oneshot\n'
                  f'ExecStart={exec_start}\n[Install]\nWantedBy=multi-user.target\n')
        self.drop_in(unit, drop_in)

    def drop_in(self, unit, name):
        self.file(f'{UNITS}/{unit}.d/50-pullauth.conf', self.machine.read(f'{DROP_INS}/{name}'))
        self.machine.run('systemctl', 'daemon-reload')

    def file(self, path, text):
        self.machine.write(path, text)
        self.written.append(path)

    def start(self, unit=APP, check=True):
        return self.machine.run('systemctl', 'start', unit, check=check, seconds=120)

    def clean(self):
        for path in self.written:
            self.machine.run('systemctl', 'disable', os.path.basename(path), check=False)
            self.machine.remove(path)
        self.machine.remove(SEEN)
        self.machine.run('systemctl', 'daemon-reload')


@pytest.fixture
def service(machine):
    made = Service(machine)
    try:
        yield made
    finally:
        made.clean()


@pytest.fixture
def pulling(product, service):
    """A unit that pulls the private image, and one that shows what it got."""
    service.write(APP, f'/usr/bin/podman pull --quiet {product.quay.image}')
    service.machine.run('podman', 'rmi', '--all', '--force')
    return service


def is_pulled(product):
    return product.machine.run('podman', 'image', 'exists', product.quay.image, check=False).returncode == 0


def show(service, unit=APP):
    """The credential that the unit gets, as it would be when it is started now."""
    service.write(unit, f'/bin/cp ${{CREDENTIALS_DIRECTORY}}/auth.json {SEEN}')
    service.start(unit)
    return service.machine.read(SEEN)


def test_a_unit_pulls_with_what_it_got_and_nothing_lies_where_podman_looks(product, pulling):
    product.up(more=ALLOWED)
    product.assert_refused()
    with pulling.machine.following() as wait:
        pulling.start()
        entry = wait(lambda entry: entry.get('PULLAUTH_UNIT') == 'app.service' and 'got' in entry['MESSAGE'])
    assert is_pulled(product)
    assert entry['PULLAUTH_JOB'] == 'edge' and entry['PULLAUTH_CREDENTIAL'] == 'auth.json'
    secret = product.entry(SYSTEM).secret
    assert secret not in json.dumps(pulling.machine.journal('-u', DAEMON))


def test_another_unit_gets_an_empty_object_and_public_images(product, service, machine):
    product.up(more=ALLOWED)
    assert show(service, OTHER) == b'{}'
    machine.run('podman', 'rmi', '--all', '--force')
    service.write(OTHER, f'/usr/bin/podman pull --quiet {product.quay.image}')
    assert service.start(OTHER, check=False).returncode != 0
    service.write(OTHER, f'/usr/bin/podman pull --quiet {product.quay.public_image}')
    service.start(OTHER)


def test_a_unit_starts_the_daemon_that_it_needs(product, pulling, machine):
    product.up(more=ALLOWED)
    product.stop()
    pulling.start()
    assert is_pulled(product)  # which it may be before the daemon has its name on the bus
    assert machine.units.wait_state(DAEMON, 'active', 'failed', 'inactive') == 'active'


def test_each_start_gets_the_credential_of_its_time(product, service):
    product.up(more=ALLOWED)
    first = show(service)
    product.refresh()
    second = show(service)
    assert first != second
    for text in (first, second):
        assert list(json.loads(text)['auths']) == [product.scope]


def test_the_credential_is_the_units_alone(product, service, machine):
    product.up(more=ALLOWED)
    service.write(APP, '/bin/sh -c "stat -c %%a-%%U ${CREDENTIALS_DIRECTORY} ${CREDENTIALS_DIRECTORY}/auth.json '
                  f'>{SEEN}"')
    service.start()
    assert machine.read(SEEN).split() == [b'500-root', b'400-root']


def test_podman_auto_update_has_one_with_the_drop_in(product, service, machine):
    """The unit of the distribution, with what it runs replaced: there is no container here that it could update."""
    product.up(more=ALLOWED)
    machine.run('systemctl', 'unmask', UPDATE)
    try:
        service.file(f'{UNITS}/{UPDATE}.d/60-test.conf', '[Service]\nExecStart=\nExecStartPost=\n'
                     f'ExecStart=/usr/bin/podman pull --quiet {product.quay.image}\n')
        service.drop_in(UPDATE, 'unit-credential.conf')
        machine.run('podman', 'rmi', '--all', '--force')
        service.start(UPDATE)
        assert is_pulled(product)
    finally:
        service.clean()
        machine.run('systemctl', 'mask', UPDATE)


def test_without_the_socket_a_unit_starts_with_an_empty_object(product, service, machine):
    product.up(more=ALLOWED)
    machine.run('systemctl', 'stop', CREDENTIAL_SOCKET, DAEMON)
    machine.run('systemctl', 'mask', '--runtime', CREDENTIAL_SOCKET)
    try:
        assert not machine.exists('/run/pullauth/credential.sock')
        assert show(service) == b'{}'
        product.start()  # the daemon does without the socket
        assert product.states() == {'edge': 'fresh'}
    finally:
        machine.run('systemctl', 'unmask', '--runtime', CREDENTIAL_SOCKET)


def test_the_credential_socket_is_for_root_alone(product, machine):
    product.up(more=ALLOWED)
    found = machine.run('stat', '-c', '%F %U %a', '/run/pullauth/credential.sock').stdout.strip()
    assert found == 'socket root 600'


def test_who_asks_while_the_daemon_crashes_is_answered_when_it_does_not_any_more(product, machine):
    product.write_token()
    product.configure(more=ALLOWED)
    drop_in = f'/run/systemd/system/{DAEMON}.d/crash.conf'
    machine.write(drop_in, '[Service]\nExecStart=\nExecStart=/bin/false\n')
    machine.run('systemctl', 'daemon-reload')
    machine.run('systemctl', 'start', CREDENTIAL_SOCKET)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.bind(b'\0' + secrets.token_hex(8).encode() + b'/unit/app.service/auth.json')
            asking.connect(machine.path('/run/pullauth/credential.sock'))
            machine.units.wait_service(DAEMON, lambda service: service['NRestarts'] >= 2)
        finally:
            machine.remove(drop_in)
            machine.run('systemctl', 'daemon-reload')
        answer = asking.recv(65536)
    assert list(json.loads(answer)['auths']) == [product.scope]


def test_who_waits_when_the_daemon_is_killed_is_answered_by_the_next_one(product, service, machine):
    """A connection that is closed without a byte would be a file of no bytes, which breaks every pull."""
    hanging = product.quay.misbehave('hang', path=EXCHANGE, count=1)
    product.write_token()
    product.configure(more=ALLOWED)
    service.file('/etc/pullauth/pullauthd.conf', '[Manager]\nLogLevel=debug\n')
    service.write(APP, f'/bin/cp ${{CREDENTIALS_DIRECTORY}}/auth.json {SEEN}')
    with machine.following() as wait:
        machine.run('systemctl', 'start', '--no-block', APP)
        wait(lambda entry: "Unit 'app.service' waits" in entry['MESSAGE'], 30)
    product.quay.exchanges(at_least=1)  # the one that hangs, and not that of the next daemon
    machine.run('systemctl', 'kill', '--signal=KILL', DAEMON)
    machine.units.wait_service(DAEMON, lambda found: found['NRestarts'] >= 1)
    product.quay.behave(hanging)
    assert machine.units.wait_state(APP, 'inactive', 'failed', seconds=100) == 'inactive'
    assert list(json.loads(machine.read(SEEN))['auths']) == [product.scope]


def test_after_a_boot_a_unit_waits_for_the_first_credential(product, pulling, machine):
    """Ordered behind nothing but the socket, with nothing left of the boot before."""
    product.up(more=ALLOWED)
    machine.run('systemctl', 'enable', APP)
    machine.run('systemctl', 'stop', DAEMON)
    for path in (SYSTEM, '/var/lib/pullauth/state.json'):
        machine.remove(path)
    machine.reboot()
    assert machine.units.wait_state(APP, 'inactive', 'failed', seconds=100) == 'inactive'
    assert is_pulled(product)


def test_what_reads_targets_starts_when_they_are_there(product, service, machine):
    product.up(more='Targets=system\n')
    product.stop()
    machine.remove(SYSTEM)
    machine.run('rm', '-rf', '/var/lib/pullauth', '/run/pullauth/fragments')
    service.write(APP, f'/bin/cp {SYSTEM} {SEEN}', drop_in='after-ready.conf')
    service.start()
    found = json.loads(machine.read(SEEN))['auths'][product.scope]
    assert found and isinstance(product.entry(SYSTEM), Entry)
    assert machine.units.state(READY) == 'active'


def told_before_ready(machine, service, text):
    """Whether the daemon says it while READY is waited for. What it knows later may be of a later attempt."""
    told = []

    def is_ready(entry):
        told.append(str(entry.get('MESSAGE')))
        return entry.get('UNIT') == READY and entry.get('JOB_RESULT') == 'done'

    machine.run('systemctl', 'stop', READY)
    with machine.following() as wait:
        service.start(READY)
        wait(is_ready)
    assert machine.units.state(READY) == 'active'
    return any(text in message for message in told)


def test_a_registry_that_does_not_answer_holds_the_target_up_for_the_time_that_is_set(product, service, machine):
    product.write_token()
    product.configure(more='Targets=system\n')
    service.file('/etc/pullauth/pullauthd.conf', '[Manager]\nReadyTimeout=2s\n')
    hanging = product.quay.misbehave('hang', path=EXCHANGE)
    assert told_before_ready(machine, service, PATIENCE_OVER)
    product.quay.behave(hanging)


def test_a_host_without_a_network_is_held_up_by_nothing(product, service, machine):
    product.quay.call('quay', listening=False)
    product.write_token()
    product.configure(more='Targets=system\n')
    assert not told_before_ready(machine, service, PATIENCE_OVER)
    assert product.job()['Reason'] == 'connection-failed'
    product.quay.call('quay', listening=True)


def test_the_target_is_reached_without_a_daemon(product, service, machine):
    machine.run('systemctl', 'mask', '--runtime', DAEMON)
    try:
        service.start(READY)
        assert machine.units.state(READY) == 'active'
    finally:
        machine.run('systemctl', 'unmask', '--runtime', DAEMON)


def test_a_unit_can_wait_for_one_job(product, service, machine):
    product.up()
    service.start(WAIT)
    product.quay.call('quay', listening=False)
    product.configure(job='second', more='Scopes=acme/public\n')
    machine.run('systemctl', 'reload', DAEMON)
    other = 'pullauth-wait@second.service'
    machine.run('systemctl', 'start', '--no-block', other)
    machine.units.wait_state(other, 'activating')
    product.quay.call('quay', listening=True)
    product.call('RefreshJob', 'second', signature='s')
    assert machine.units.wait_state(other, 'inactive', 'failed') == 'inactive'


def test_waiting_for_a_job_is_bounded(product, service, machine):
    product.quay.call('quay', listening=False)
    product.write_token()
    product.configure(more='Targets=system\n')
    text = machine.run('systemctl', 'cat', WAIT).stdout
    assert '--timeout=1min' in text and 'TimeoutStartSec=90s' in text
    command = next(line for line in text.splitlines() if line.startswith('ExecStart='))
    service.file(f'/etc/systemd/system/{WAIT}.d/short.conf',
                 f'[Service]\nExecStart=\n{command.replace("1min", "1s").replace("%i", "edge")}\n')
    machine.run('systemctl', 'daemon-reload')
    assert service.start(WAIT, check=False).returncode != 0
    product.quay.call('quay', listening=True)


def test_waiting_for_a_job_that_does_not_exist_fails_at_once(product, service):
    product.up()
    assert service.start('pullauth-wait@nothing.service', check=False).returncode != 0
