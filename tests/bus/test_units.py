# SPDX-License-Identifier: LGPL-2.1-or-later
"""Credentials of units over the socket: who asks, who gets what, who waits and for how long."""

import os
import signal
import socket

import pytest
import units
from activate import Activated
from fakeworker import Later, failure
from rig import DAEMON_UID, ROOT, SLOW, STRANGER_UID, program

KEY = 'quay.example.com/acme'
EMPTY = b'{}'
APP = 'Units=app.service web@*.service\n'


LATE = 'has waited long enough'


def log_says(host, text, n=1):
    host.wait_file('../log', lambda: host.log().count(text) >= n)


@pytest.fixture
def up(host):
    """A daemon with the socket and a job that is fresh, which two kinds of units may have."""
    host.standard()
    host.job(more=APP)
    host.listen_for_units().start()
    host.client.wait_job('edge', State='fresh')
    return host


@pytest.fixture
def early(host):
    """As at a boot: the first attempt is under way, and ends when the test says so."""
    host.standard()
    host.job(more=APP)
    held = Later()
    host.worker.answer = lambda request: held
    host.listen_for_units().start(wait=False)
    assert held.asked.wait(30 * SLOW)
    host.held = held
    return host


@pytest.mark.parametrize('unit', ['app.service', 'web@1.service', 'web@a\\x2db.service'])
def test_a_unit_that_the_job_names_gets_its_credential(up, unit):
    answer = units.ask(up, unit)
    assert units.users(answer) == {KEY: 'acme+edge'}
    assert units.secret(answer) == up.worker.tokens[0]
    log_says(up, f"Unit '{unit}' got 'auth.json' with the credential of: edge")
    assert up.worker.tokens[0] not in up.log() and 'YWNtZ' not in up.log()


@pytest.mark.parametrize('unit', ['other.service', 'app.socket', 'my-app.service', 'web.service'])
def test_every_other_unit_gets_an_empty_object(up, unit):
    assert units.ask(up, unit) == EMPTY
    log_says(up, f"Unit '{unit}' got an empty 'auth.json': no such job has the unit in Units=")


@pytest.mark.parametrize('credential', ['other.json', 'edge', 'password', 'edge.json.bak'])
def test_what_is_no_job_is_an_empty_object(up, credential):
    assert units.ask(up, 'app.service', credential) == EMPTY


def test_a_job_alone_can_be_asked_for(up):
    up.job('other', robot='umbrella+other', more='Units=*\n')
    up.reload()
    up.client.wait_job('other', State='fresh')
    both = {KEY: 'acme+edge', 'quay.example.com/umbrella': 'umbrella+other'}
    assert units.users(units.ask(up)) == both
    assert units.users(units.ask(up, 'app.service', 'edge.json')) == {KEY: 'acme+edge'}
    assert units.users(units.ask(up, 'third.service')) == {'quay.example.com/umbrella': 'umbrella+other'}


def test_a_job_without_units_gives_nothing_to_any(host):
    host.standard().listen_for_units().start()
    host.client.wait_job('edge', State='fresh')
    assert units.ask(host) == EMPTY


@pytest.mark.parametrize('name', [b'', b'\0x', b'\0adf9/unit/app.service', b'\0adf9/unit/app.service/auth.json\0',
                                  b'\0adf9/user/app.service/auth.json', b'\0' + b'a' * 107])
def test_an_address_that_says_nothing_gets_an_empty_object(up, name):
    assert units.ask(up, name=name) == EMPTY
    log_says(up, 'its address names no unit and credential')
    assert units.users(units.ask(up)) == {KEY: 'acme+edge'}


@pytest.mark.skipif(not ROOT, reason='only root can be somebody else')
def test_another_user_gets_not_a_byte_whatever_the_mode_of_the_socket(up):
    os.chmod(units.path(up), 0o666)
    for _ in range(20):
        done = up.run_as(STRANGER_UID, '/usr/bin/python3', '-c', units.ASK, units.path(up), units.address().hex())
        assert done.stdout.strip() == '0', done.stderr
    log_says(up, f'of user {STRANGER_UID} asked for the credential of a unit: only the service manager may')
    assert up.log().count('asked for the credential of a unit') < 20


@pytest.mark.skipif(not ROOT, reason='only root can be somebody else')
def test_the_mode_of_the_socket_keeps_others_away(up):
    done = up.run_as(STRANGER_UID, '/usr/bin/python3', '-c', units.ASK, units.path(up), units.address().hex())
    assert 'PermissionError' in done.stderr


def test_at_a_boot_the_first_attempt_is_waited_for(early):
    asking = units.connect(early)
    log_says(early, "Unit 'app.service' waits")
    assert units.ask(early, 'other.service') == EMPTY  # who has nothing to wait for does not
    assert units.is_quiet(asking)
    early.held.send(early.worker.credential(early.worker.requests[0]))
    assert units.secret(units.read(asking)) == early.worker.tokens[0]
    assert LATE not in early.log()  # or it would have been the end of its patience, not the news


def test_an_attempt_that_fails_for_long_ends_the_waiting(early):
    asking = units.connect(early)
    log_says(early, "Unit 'app.service' waits")
    early.held.send(failure('robot-unknown'))
    assert units.read(asking) == EMPTY
    log_says(early, 'a job has no credential at present')
    assert LATE not in early.log()


def test_an_attempt_that_is_soon_repeated_is_waited_for_again(early):
    asking = units.connect(early)
    log_says(early, "Unit 'app.service' waits")
    early.worker.answer = early.worker.credential
    early.held.send(failure('connection-failed'))
    assert units.secret(units.read(asking)) == early.worker.tokens[0]


def test_the_waiting_is_bounded_and_happens_once_for_an_attempt(early):
    assert units.ask(early) == EMPTY
    assert early.log().count("Unit 'app.service' waits") == 1 and LATE in early.log()
    assert units.ask(early) == EMPTY
    assert early.log().count("Unit 'app.service' waits") == 1
    early.client.wait(early.client.owner, 'the name')
    assert early.client.jobs()['edge'][4] == 'refreshing'


def test_a_reload_that_takes_the_job_away_ends_the_waiting(early):
    asking = units.connect(early)
    log_says(early, "Unit 'app.service' waits")
    os.unlink(early.path('etc/pullauth/jobs/edge.job'))
    early.client.wait(early.client.owner, 'the name')
    early.client.call('org.pullauth1.Manager', 'Reload')
    assert units.read(asking) == EMPTY


def test_a_reload_that_names_the_unit_is_heard(up):
    assert units.ask(up, 'late.service') == EMPTY
    up.job(more='Units=late.service\n')
    up.reload()
    assert units.users(units.ask(up, 'late.service')) == {KEY: 'acme+edge'}
    assert units.ask(up) == EMPTY
    assert up.client.job('edge')['Refreshes'] == 1  # that was no reason for another exchange


def test_who_waits_when_the_daemon_ends_gets_an_answer(early):
    asking = [units.connect(early, f'web@{i}.service') for i in range(3)]
    log_says(early, "waits for the credential 'auth.json'", 3)
    assert early.stop() == 0
    assert [units.read(one) for one in asking] == [EMPTY] * 3


def wait_kept(host, n):
    with host.notify.changed:
        assert host.notify.changed.wait_for(lambda: len(host.notify.kept) == n, 20 * SLOW), host.notify.kept


def test_who_waits_when_the_daemon_is_killed_is_answered_by_the_next_one(early):
    """The service manager reads no bytes from a connection that nobody holds any more, and takes that for an answer."""
    asking = [units.connect(early, f'web@{i}.service') for i in range(3)]
    log_says(early, "waits for the credential 'auth.json'", 3)
    wait_kept(early, 3)
    early.worker.answer = early.worker.credential
    assert early.stop(signal.SIGKILL) == -signal.SIGKILL
    assert all(units.is_quiet(one) for one in asking)
    early.start()
    answers = [units.read(one) for one in asking]
    assert [units.users(answer) for answer in answers] == [{KEY: 'acme+edge'}] * 3
    wait_kept(early, 0)


def test_a_second_crash_loses_nobody_either(early):
    asking = units.connect(early)
    wait_kept(early, 1)
    log_says(early, "Unit 'app.service' waits")  # the last that is done for it, and counted below
    for n in (2, 3):
        assert early.stop(signal.SIGKILL) == -signal.SIGKILL
        early.start(wait=False)
        log_says(early, "Unit 'app.service' waits", n)
    assert len(early.notify.kept) == 1 and units.is_quiet(asking)
    assert early.stop(signal.SIGTERM) == 0
    early.worker.answer = early.worker.credential
    assert units.read(asking) == EMPTY
    wait_kept(early, 0)


def test_who_went_while_nobody_ran_is_forgotten(early):
    units_gone = units.connect(early)
    wait_kept(early, 1)
    early.stop(signal.SIGKILL)
    units_gone.close()
    early.worker.answer = early.worker.credential
    early.start()
    early.client.wait_job('edge', State='fresh')
    assert units.users(units.ask(early)) == {KEY: 'acme+edge'}


def test_who_need_not_wait_is_kept_by_nobody(up):
    assert units.users(units.ask(up)) == {KEY: 'acme+edge'}
    assert up.stop() == 0
    up.notify.wait('STOPPING=1')  # all that it said before has been read
    assert not any(line.startswith('FDSTORE') for line in up.notify.lines)


def test_without_the_socket_who_waited_is_told_that_there_is_nothing(early):
    asking = units.connect(early)
    wait_kept(early, 1)
    early.stop(signal.SIGKILL)
    kept, listening = early.notify.kept, early.units_socket
    other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.bind(early.path('run/pullauth/other.sock'))
    early.units_socket = other
    early.worker.answer = early.worker.credential
    early.start()
    assert units.read(asking) == EMPTY and len(kept) == 1
    other.close()
    early.units_socket = listening


def test_who_goes_while_waiting_is_forgotten(early):
    units.connect(early).close()
    log_says(early, "Unit 'app.service' does not wait any more")
    asking = units.connect(early, 'web@1.service')
    early.held.send(early.worker.credential(early.worker.requests[0]))
    assert units.users(units.read(asking)) == {KEY: 'acme+edge'}
    log_says(early, "Unit 'web@1.service' got")
    assert "Unit 'app.service' got" not in early.log()


def test_who_goes_as_the_answer_comes_is_not_said_to_have_it(early):
    """The daemon is stopped, so that the answer and the end of the connection wait for it together."""
    asking = units.connect(early)
    log_says(early, "Unit 'app.service' waits")
    os.kill(early.daemon.pid, signal.SIGSTOP)
    asking.close()
    early.held.send(early.worker.credential(early.worker.requests[0]))
    os.kill(early.daemon.pid, signal.SIGCONT)
    early.client.wait_job('edge', State='fresh')
    early.client.poll(lambda: 'does not wait' in early.log() or 'went before' in early.log(), 'the end of it')
    assert "Unit 'app.service' got" not in early.log()


def test_each_start_of_a_unit_gets_what_is_valid_then(up):
    first = units.ask(up)
    up.client.call('org.pullauth1.Manager', 'RefreshJob', 's', 'edge')
    up.client.wait_job('edge', Refreshes=2, State='fresh')
    second = units.ask(up)
    assert [units.secret(answer) for answer in (first, second)] == up.worker.tokens


def test_what_has_ended_is_not_given(host):
    host.worker.lifetime = 4
    host.standard()
    host.job(more=APP)
    host.listen_for_units().start()
    host.client.wait_job('edge', State='fresh')
    host.worker.answer = lambda request: failure('robot-unknown')
    host.client.wait_job('edge', State='failed', Expires=0, timeout=30)
    assert units.ask(host) == EMPTY


@pytest.mark.parametrize('same', [True, False])
def test_two_hundred_connections_at_once_are_all_answered(early, same):
    """Of one unit some wait, and the rest is told how things are; different units all wait."""
    asking = [units.connect(early, 'app.service' if same else f'web@{i}.service') for i in range(200)]
    if same:
        log_says(early, "Unit 'app.service' got an empty", 184)
    else:
        log_says(early, "waits for the credential 'auth.json'", 200)
    early.held.send(early.worker.credential(early.worker.requests[0]))
    answers = [units.read(one) for one in asking]
    assert sum(answer != EMPTY for answer in answers) == (16 if same else 200)
    assert {units.secret(answer) for answer in answers if answer != EMPTY} == {early.worker.tokens[0]}


def test_more_than_there_is_room_for_wait_in_the_queue_of_the_socket(early):
    asking = [units.connect(early, f'web@{i}.service') for i in range(300)]
    log_says(early, "waits for the credential 'auth.json'", 256)
    early.held.send(early.worker.credential(early.worker.requests[0]))
    assert all(units.users(units.read(one)) for one in asking)


def test_a_reader_that_is_slow_hinders_nobody_and_gets_everything(host):
    host.identity()
    host.token()
    for i in range(20):
        scopes = ' '.join(f'acme/a{i}-{n}' for n in range(64))
        host.job(f'j{i}', more=f'Scopes={scopes}\nTargets=system\nUnits=*\n')
    host.listen_for_units().start()
    for i in range(20):
        host.client.wait_job(f'j{i}', State='fresh')
    slow = units.connect(host)
    assert len(units.users(units.ask(host, 'other.service'))) == 1280
    answer = units.read(slow)
    assert len(answer) > 300_000 and len(units.users(answer)) == 1280
    gone = units.connect(host)
    gone.recv(1)
    gone.close()
    assert len(units.users(units.ask(host, 'third.service'))) == 1280


def test_a_connection_starts_the_daemon_and_is_answered(host):
    host.standard()
    host.job(more=APP)
    command = [program(host.directory, 'pullauthd'), f'--root={host.root}']
    with open(host.logs, 'ab') as log, \
            Activated(units.path(host), command, env=host.environment(), socket_user=DAEMON_UID,
                      user=DAEMON_UID if ROOT else None, name='credential', log=log) as activated:
        assert units.users(units.ask(host)) == {KEY: 'acme+edge'}
        activated.wait_start()
        assert activated.running


def test_other_descriptors_are_no_reason_not_to_start(host):
    host.standard()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(host.path('run/pullauth/other.sock'))
        host.units_socket = other
        host.start()
        host.units_socket = None
    log_says(host, 'is no listening socket of the name')
    host.client.wait_job('edge', State='fresh')


def test_a_name_without_a_kind_is_an_error_that_says_how(host):
    host.standard()
    host.job(more='Units=app\n')
    host.start()
    job = host.client.wait_job('edge', State='failed')
    assert job['Reason'] == 'configuration-invalid'
    assert "'app' in Units= is not valid, write for example Units=app.service" in str(job)


def test_as_the_own_user_of_a_daemon_in_a_directory_one_may_ask(up):
    done = up.run_as(DAEMON_UID, '/usr/bin/python3', '-c', units.ASK, units.path(up), units.address().hex())
    assert int(done.stdout) > len(EMPTY), done.stderr
