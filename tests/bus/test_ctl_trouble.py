# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauthctl when the daemon is away, silent, forbidding, or not to be trusted."""

import os
import re
import socket
import subprocess
import threading

import pytest
from ctl_rig import PROGRAM, WRAPPER, CtlRig, fresh

VERBS = ([], ['list'], ['status'], ['status', 'edge'], ['refresh'], ['refresh', 'edge'], ['refresh', '--wait'],
         ['reload'])
EVIL = '\033]0;owned\007\033[2Jred\033[31m\r\nline\tx\x9b31m‮gnp.exe⁦\u2028'


@pytest.fixture
def rig():
    made = CtlRig()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def running(rig):
    rig.start().job('edge', **fresh())
    return rig


@pytest.mark.parametrize('verb', VERBS)
def test_without_a_daemon_each_verb_says_how_to_start_it(rig, verb):
    ran = rig.ctl(*verb)
    assert (ran.returncode, ran.stdout) == (1, '')
    assert ran.stderr == ("pullauthctl: pullauthd is not running\n'systemctl status pullauthd.service' says why; "
                          "'systemctl enable --now pullauthd.service' starts it\n")


def test_without_a_bus_it_says_that(rig):
    ran = rig.ctl('list', DBUS_SYSTEM_BUS_ADDRESS='unix:path=/nonexistent/bus')
    assert (ran.returncode, ran.stdout) == (1, '')
    assert ran.stderr.startswith('pullauthctl: Cannot talk to the system bus: No such file or directory\n')


def test_a_bus_that_hangs_up_is_told_from_a_daemon_that_does(rig):
    path = os.path.join(rig.directory, 'rude')
    with socket.socket(socket.AF_UNIX) as rude:
        rude.bind(path)
        rude.listen()
        threading.Thread(target=lambda: rude.accept()[0].close()).start()
        ran = rig.ctl('list', DBUS_SYSTEM_BUS_ADDRESS=f'unix:path={path}')
    assert (ran.returncode, ran.stdout) == (1, '')
    assert ran.stderr.startswith('pullauthctl: Cannot talk to the system bus: ')


@pytest.mark.parametrize('verb, member', [(['list'], 'GetManagedObjects'), (['status'], 'GetAll'),
                                          (['refresh'], 'RefreshAll'), (['reload'], 'Reload')])
def test_a_daemon_that_ends_while_it_answers_is_told_of(running, verb, member):
    running.mock.on(member, 'die')
    ran = running.ctl(*verb)
    assert (ran.returncode, ran.stdout) == (1, '')
    assert ran.stderr.startswith('pullauthctl: pullauthd did not answer (')
    assert "'systemctl status pullauthd.service' says whether it ended or hangs\n" in ran.stderr


@pytest.mark.parametrize('name, said', [
    ('org.freedesktop.DBus.Error.AccessDenied', 'Not allowed: polkit did not grant org.pullauth1.reload'),
    ('org.freedesktop.DBus.Error.InteractiveAuthorizationRequired',
     "org.pullauth1.reload needs an administrator's password, and there is nobody to ask"),
    ('org.freedesktop.DBus.Error.LimitsExceeded', 'Too many requests at once (why)'),
    ('org.freedesktop.DBus.Error.UnknownMethod', 'pullauthd does not know this request (why)'),
    ('com.example.Strange', 'The request failed with com.example.Strange (why)')])
def test_each_error_has_its_sentence(running, name, said):
    running.mock.on('Reload', 'error', name, 'why')
    ran = running.ctl('reload')
    assert (ran.returncode, ran.stdout) == (1, '')
    assert ran.stderr.splitlines()[0] == f'pullauthctl: {said}'
    assert len(ran.stderr.splitlines()) == 2  # what to do


@pytest.mark.parametrize('verb, member', [(['list'], 'GetManagedObjects'), (['list'], 'GetAll'),
                                          (['refresh', 'edge'], 'RefreshJob'), (['refresh'], 'RefreshAll'),
                                          (['reload'], 'Reload')])
def test_an_answer_of_another_type_is_another_version(running, verb, member):
    running.mock.on(member, 'type', 'a text')
    ran = running.ctl(*verb)
    assert (ran.returncode, ran.stdout) == (1, '')
    assert ran.stderr.startswith('pullauthctl: pullauthd does not know this request (the answer is not of the expected')


def hostile():
    row = ('error', 3, EVIL, EVIL)
    return fresh(Registry=EVIL, Robot=EVIL, State=EVIL, Reason=EVIL, Step=EVIL, Message=EVIL, RegistryWords=EVIL,
                 Hint=EVIL, Identity=EVIL, Scopes=[EVIL], Notices=[EVIL], ConfigurationFiles=[EVIL],
                 ConfigurationMessages=[row], IdentityIssuer=EVIL, IdentitySubject=EVIL, IdentityAudience=[EVIL],
                 TargetStates=[(EVIL, EVIL, EVIL, EVIL)])


@pytest.mark.parametrize('locale', ['C', 'C.UTF-8'])
@pytest.mark.parametrize('verb', VERBS[:4])
def test_no_escape_sequence_of_others_reaches_the_terminal(running, verb, locale):
    running.mock.job('edge', **hostile())
    running.mock.manager(Version=EVIL, ConfigurationMessages=[('error', 3, EVIL, EVIL)])
    text = running.on_terminal('--color=never', *verb, LC_ALL=locale)[1]
    assert 'red' in text
    assert re.findall(r'[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]', text) == []
    assert locale != 'C' or text.isascii()


def test_errors_of_others_are_cleaned(running):
    running.mock.on('Reload', 'error', 'com.example.Strange', EVIL)
    ran = running.ctl('reload')
    assert '\033' not in ran.stderr and 'owned' in ran.stderr


def test_names_from_the_command_line_are_cleaned(running):
    for ran in (running.ctl('status', EVIL), running.ctl(EVIL), running.ctl('refresh', EVIL)):
        assert '\033' not in ran.stderr and 'red' in ran.stderr


def test_huge_texts_are_cut(running):
    running.mock.job('edge', **fresh(Message='x' * 1000000, Notices=['y' * 1000000], State='fresh'))
    ran = running.ctl('status')
    assert ran.returncode == 0 and len(ran.stdout) < 20000


def test_numbers_at_their_limits_do_no_harm(running):
    most = 2 ** 64 - 1
    running.mock.job('edge', **fresh(Expires=most, Issued=1, NextAttempt=most, LastAttempt=most, IdentityExpires=most,
                                     AttemptsStarted=most, AttemptsEnded=most, ClockSkew=-2 ** 63,
                                     HTTPStatus=2 ** 32 - 1))
    for verb in VERBS[:4]:
        for mode in ('off', 'short'):
            ran = running.ctl(*verb, f'--json={mode}')
            assert (ran.returncode, ran.stderr) == (0, '')


def test_properties_that_are_missing_or_of_another_type_are_empty(running):
    running.mock.job('edge', Expires=None, Targets=None, Hint={'signature': 'u', 'value': 7},
                     Scopes={'signature': 's', 'value': 'x'}, TargetStates={'signature': 'as', 'value': ['x']})
    ran = running.ctl('status', 'edge')
    assert ran.returncode == 0 and 'no credential' in ran.stdout and 'Scopes' not in ran.stdout


def test_a_thousand_jobs_are_listed(running):
    for number in range(1000):
        running.mock.job(f'job-{number:04}', **fresh())
    ran = running.ctl('list', '--no-legend')
    assert ran.returncode == 0 and len(ran.stdout.splitlines()) == 1001


def test_output_that_cannot_be_written_is_a_failure(running):
    with open('/dev/full', 'wb') as full:
        ran = subprocess.run([*WRAPPER, PROGRAM, 'status'], env=running.environment({}), stdout=full,
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding='utf-8')
    assert ran.returncode == 1 and 'Cannot write to standard output' in ran.stderr


def test_a_reader_that_leaves_ends_it(running):
    """Whoever reads may stop when it has enough: no complaint, and the status says how the jobs are."""
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run([*WRAPPER, PROGRAM, 'status'], env=running.environment({}), stdout=writing,
                         stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding='utf-8', restore_signals=True)
    os.close(writing)
    assert ran.returncode == 0


@pytest.mark.parametrize('verb', VERBS)
def test_no_call_starts_a_daemon_that_somebody_stopped(running, verb):
    running.mock.then('edge', [{'AttemptsEnded': 99}])
    running.ctl(*verb)
    assert {call[3] for call in running.mock.calls()} == {False}
