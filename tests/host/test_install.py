# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installed, enabled, started, reloaded, restarted, killed, rebooted: the service as systemd sees it."""

import os
import re
import signal

import pytest
from gi.repository import GLib
from product import DAEMON, MANAGER, NAME, PODMAN, ROOT, SOCKET, SYSTEM, WORKER, needed

DAEMON_PROGRAM = '/usr/libexec/pullauthd'
WORKER_PROGRAM = '/usr/libexec/pullauth-worker'
FEDERATE_PROGRAM = '/usr/libexec/pullauth-federate'
CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER = 1 << 0, 1 << 1, 1 << 3


def status_of(pid):
    with open(f'/proc/{pid}/status', encoding='utf-8') as status:
        return {name: value.strip() for name, value in (line.split(':', 1) for line in status)}


def writable(pid):
    """Mount points that a process may write below, but for its own temporary directories and what the kernel or
    the container have there."""
    with open(f'/proc/{pid}/mountinfo', encoding='utf-8') as lines:
        # Of several at one point the last one counts.
        mounts = {fields[4]: fields[5].split(',') for fields in (line.split() for line in lines)}
    found = {point for point, options in mounts.items() if 'rw' in options}
    return {point for point in found
            if not re.match('/(dev/(pts|mqueue|hugepages)|proc|tmp|var/tmp|run/host)(/|$)', point)}


@pytest.fixture
def settings(machine):
    """Other settings of the service for one test."""
    path = f'/run/systemd/system/{DAEMON}.d/test.conf'

    def change(text):
        machine.write(path, f'[Service]\n{text}\n')
        machine.run('systemctl', 'daemon-reload')

    yield change
    machine.remove(path)
    machine.run('systemctl', 'daemon-reload')


@pytest.mark.parametrize('program', [DAEMON_PROGRAM, '/usr/bin/pullauthctl'])
def test_what_does_not_speak_to_the_network_loads_neither_curl_nor_gnutls(machine, program):
    loaded = machine.run('ldd', program).stdout
    for library in ('libcurl', 'libgnutls', 'libssl', 'libcrypto'):
        assert not any(name.startswith(library) for name in needed(machine.path(program)))
        assert library not in loaded or library == 'libcrypto' and 'libsystemd' in loaded


@pytest.mark.parametrize('program', [WORKER_PROGRAM, FEDERATE_PROGRAM])
def test_what_speaks_to_it_does(machine, program):
    assert any(name.startswith('libcurl') for name in needed(machine.path(program)))


@pytest.mark.parametrize('program', ['pullauthd', 'pullauth-worker', 'pullauth-federate', 'pullauthctl'])
def test_every_program_tells_its_version(machine, program):
    place = '/usr/bin' if program == 'pullauthctl' else '/usr/libexec'
    assert machine.run(f'{place}/{program}', '--version').stdout.split()[0] == program


def test_enabling_and_starting_it_is_all(product, machine):
    product.write_token()
    product.configure()
    product.enable()
    assert machine.run('systemctl', 'is-enabled', DAEMON, SOCKET).stdout.split() == ['enabled', 'enabled']
    # It was ready only when the first attempt had ended.
    assert product.states() == {'edge': 'fresh'}
    assert product.entry(SYSTEM).user == product.entry(PODMAN).user == 'acme+edge'


def test_without_jobs_it_is_ready_and_says_so(product, machine):
    product.enable()
    assert machine.units.service(DAEMON)['StatusText'].startswith('No jobs')


def test_the_status_line_counts_jobs(product, machine):
    product.up()
    machine.units.wait_service(DAEMON, lambda service: service['StatusText'] == '1 job: 1 fresh')


def test_it_is_ready_also_when_the_registry_is_not(product, machine):
    product.quay.call('quay', listening=False)
    product.write_token()
    product.configure()
    product.enable()
    job = product.wait_job(lambda job: job['State'] != 'refreshing')  # as it is while it tries again
    assert (job['State'], job['Reason']) == ('expired', 'connection-failed')
    product.quay.call('quay', listening=True)
    assert product.refresh()['State'] == 'fresh'


def test_both_processes_run_with_no_more_than_they_need(product, machine):
    product.up()
    with product.refreshing():
        daemon, worker = product.main_pid(DAEMON), product.main_pid(WORKER)
        daemon_status, worker_status = status_of(daemon), status_of(worker)
        places = writable(daemon), writable(worker)
    capabilities = CAP_CHOWN | CAP_DAC_OVERRIDE | CAP_FOWNER
    for kind in ('CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
        assert int(daemon_status[kind], 16) == capabilities
        assert int(worker_status[kind], 16) == 0
    users = [status['Uid'].split()[0] for status in (daemon_status, worker_status)]
    assert users[0] == machine.run('id', '-u', 'pullauth').stdout.strip()
    assert users[1] not in ('0', users[0])
    for status in (daemon_status, worker_status):
        assert (status['NoNewPrivs'], status['Seccomp']) == ('1', '2')
    with open(f'/proc/{daemon}/net/dev', encoding='ascii') as devices:
        assert [line.split(':')[0].strip() for line in devices if ':' in line] == ['lo']
    assert places == ({'/run/pullauth', '/var/lib/pullauth', '/etc/containers', '/run/containers', '/run/ostree',
                       '/root/.config/containers', '/etc/pullauth/jobs'}, set())


def test_the_worker_is_gone_within_its_idle_time(product, machine):
    product.up()
    assert machine.units.wait_state(WORKER, 'inactive', 'failed') == 'inactive'
    pid = machine.units.service(WORKER)['ExecMainPID']
    assert pid > 0 and not machine.exists(f'/proc/{pid}')
    assert machine.units.state(SOCKET) == 'active'
    assert product.refresh()['State'] == 'fresh'


def test_a_reload_has_happened_when_systemctl_returns(product, machine):
    product.up()
    product.configure(job='second', more='Scopes=acme/public\n')
    machine.run('systemctl', 'reload', DAEMON)
    assert sorted(product.states()) == ['edge', 'second']
    product.wait_job(lambda job: job['State'] == 'fresh', 'second')
    assert product.job()['AttemptsStarted'] == 1, 'a job that did not change was touched'
    machine.remove('/etc/pullauth/jobs/second.job')
    machine.run('systemctl', 'reload', DAEMON)
    assert sorted(product.states()) == ['edge']
    assert machine.units.state(DAEMON) == 'active'


def test_a_hangup_reloads_as_well(product, machine):
    product.up()
    with machine.following() as wait:
        product.configure(job='broken', more='Scopes=\nTargets=nowhere\n')
        machine.run('systemctl', 'kill', '--signal=HUP', DAEMON)
        entry = wait(lambda entry: entry.get('MESSAGE_ID') == '074e5e0549d640b593de7ea079571712')
    assert 'broken.job' in entry['MESSAGE']
    assert product.states()['edge'] == 'fresh'


def test_a_restart_keeps_the_credential_and_asks_nobody(product, machine):
    before = product.up()
    entries = product.entry(SYSTEM), product.entry(PODMAN)
    machine.run('systemctl', 'restart', DAEMON)
    after = product.job()
    assert (after['State'], after['Refreshes']) == ('fresh', 0)
    assert abs(after['Expires'] - before['Expires']) < 1000000  # of two clocks read one after the other
    assert (product.entry(SYSTEM), product.entry(PODMAN)) == entries
    assert product.exchanges() == 1


def test_a_stop_and_a_start_ask_nobody_either(product, machine):
    product.up()
    product.stop()
    assert product.entry(SYSTEM) and product.entry(PODMAN)
    assert machine.exists('/run/pullauth/worker.sock')
    product.start()
    assert product.states() == {'edge': 'fresh'}
    assert product.exchanges() == 1


def test_killed_it_comes_back_and_asks_nobody(product, machine):
    product.up()
    os.kill(product.main_pid(), signal.SIGKILL)
    machine.units.wait_service(DAEMON, lambda service: service['NRestarts'] == 1)
    machine.units.wait_state(DAEMON, 'active')
    assert product.states() == {'edge': 'fresh'}
    assert product.exchanges() == 1


def test_however_often_it_is_killed_it_comes_back(product, machine, settings):
    settings('RestartSec=0')
    product.enable()
    for times in range(1, 13):
        os.kill(product.main_pid(), signal.SIGKILL)
        machine.units.wait_service(DAEMON, lambda service, times=times: service['NRestarts'] == times)
        assert machine.units.wait_state(DAEMON, 'active', 'failed') == 'active'


def test_a_daemon_that_hangs_is_started_anew(product, machine, settings):
    settings('WatchdogSec=5s\nRestartSec=0')  # it says that it is alive each half of that
    product.enable()
    with machine.following() as wait:
        os.kill(product.main_pid(), signal.SIGSTOP)
        wait(lambda entry: 'Watchdog timeout' in entry['MESSAGE'])
    machine.units.wait_service(DAEMON, lambda service: service['NRestarts'] >= 1)
    assert machine.units.wait_state(DAEMON, 'active', 'failed') == 'active'


def test_a_call_on_the_bus_starts_it(product, machine):
    product.write_token()
    product.configure()
    assert machine.units.state(DAEMON) == 'inactive'
    assert machine.bus.get(NAME, ROOT, MANAGER, 'NJobs') == 1
    assert machine.units.wait_state(DAEMON, 'active', 'failed') == 'active'
    assert product.states() == {'edge': 'fresh'}


def test_looking_with_the_control_tool_starts_nothing(product, machine):
    machine.run('pullauthctl', 'list', check=False)
    assert machine.units.state(DAEMON) == 'inactive'


def test_the_journal_tells_of_a_refresh_and_the_catalog_explains_it(product, machine):
    with machine.following() as wait:
        product.up()
        entry = wait(lambda entry: entry.get('MESSAGE_ID') == 'e471e1348f72418bad4036aeac0de212')
    assert (entry['PULLAUTH_JOB'], entry['PULLAUTH_ROBOT'], entry['_SYSTEMD_UNIT']) == ('edge', 'acme+edge', DAEMON)
    explained = machine.run('journalctl', '--catalog', '--no-pager', '--lines=1',
                            f'--cursor={entry["__CURSOR"]}').stdout
    assert "The job 'edge' obtained a new credential" in explained


def test_no_secret_is_anywhere_but_in_targets_and_fragments(product, machine):
    product.up()
    product.refresh()
    secret = product.entry(SYSTEM).secret
    token = machine.read('/etc/pullauth/host.jwt').decode().strip()
    places = {
        'journal': machine.run('journalctl', '--boot', '--output=json', '--all').stdout,
        'state': machine.read('/var/lib/pullauth/state.json').decode(),
        'unit': machine.run('systemctl', 'show', DAEMON, WORKER).stdout,
        'bus': str([product.job(), machine.bus.get_all(NAME, ROOT, MANAGER)]),
        'control': machine.run('pullauthctl', 'status').stdout + machine.run('pullauthctl', '--json', 'status').stdout,
    }
    with product.refreshing():
        for unit in (DAEMON, WORKER):
            for file in ('cmdline', 'environ'):
                with open(f'/proc/{product.main_pid(unit)}/{file}', 'rb') as content:
                    places[f'{unit} {file}'] = content.read().decode()
    found = [(kind, place) for place, text in places.items() for kind, value in (('credential', secret), ('JWT', token))
             if any(part in text for part in value.split('.')[1:])]
    assert found == []


def test_after_a_reboot_everything_is_there_again(product, machine):
    """With the boot id of the container: the /proc of ProtectProc= has the one of its host, which does not change."""
    machine.write(f'/etc/systemd/system/{DAEMON}.d/boot-id.conf', '[Service]\nProtectProc=default\n')
    machine.run('systemctl', 'daemon-reload')
    product.up()
    before = machine.read(SYSTEM)
    machine.reboot()
    machine.units.wait_state(DAEMON, 'active')
    assert product.states() == {'edge': 'fresh'}
    assert product.entry(PODMAN) == product.entry(SYSTEM)
    # Nothing was due: the credential was taken up again from the target that survived.
    assert product.exchanges() == 1
    assert machine.read(SYSTEM) == before
    product.assert_pulls()
    machine.remove(f'/etc/systemd/system/{DAEMON}.d/boot-id.conf')
    machine.run('systemctl', 'daemon-reload')


def test_the_daemon_reads_token_files_that_are_root_s_alone(product, machine):
    """Wherever identity agents put them: below directories of mode 0700, through links, in root's home."""
    os.makedirs(machine.path('/var/lib/agent'), mode=0o700, exist_ok=True)
    places = {'state': '/var/lib/agent/host.jwt', 'home': '/root/host.jwt', 'run': '/run/agent/host.jwt'}
    for name, path in places.items():
        product.write_token(path, mode=0o400)
        product.configure(job=name, identity=name, token_file=path, more=f'Scopes=acme/{name}\n')
    os.makedirs(machine.path('/run/agent/..data'), exist_ok=True)
    product.write_token('/run/agent/..data/token', mode=0o400)
    if not machine.exists('/run/agent/token'):
        os.symlink('..data/token', machine.path('/run/agent/token'))
    product.configure(job='link', identity='link', token_file='/run/agent/token', more='Scopes=acme/link\n')
    product.enable()
    assert product.states() == {name: 'fresh' for name in (*places, 'link')}


def test_properties_change_with_signals(product, machine):
    """Of the real bus, with the real policy between."""
    product.up()
    path = product.job_path()
    attempt = machine.bus.call(NAME, path, 'org.pullauth1.Job', 'Refresh')
    job = machine.bus.wait(NAME, path, 'org.pullauth1.Job', lambda job: job['Refreshes'] == 2)
    assert job['AttemptsEnded'] == attempt
    managed = machine.bus.call(NAME, ROOT, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')
    assert managed[path]['org.pullauth1.Job']['State'] == 'fresh'
    assert isinstance(machine.bus.call(NAME, ROOT, MANAGER, 'RefreshAll', None), list)
    assert machine.bus.call(NAME, ROOT, 'org.freedesktop.DBus.Properties', 'Get',
                            GLib.Variant('(ss)', (MANAGER, 'NFresh'))) in (0, 1)
