# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauthctl: commands that drive jobs, look into them, or hand something out."""

import json

import pytest
from ctl_rig import CtlRig, broken, fresh, needs_spawn_errors, retrying, soon

ERROR = 'org.pullauth1.Error.'


@pytest.fixture
def rig():
    made = CtlRig()
    try:
        made.start()
        made.mock.job('edge-1', **fresh())
        made.mock.job('edge-2', **fresh(Robot='acme+two', Registry='other.example.com'))
        made.mock.job('lab', **retrying())
        yield made
    finally:
        made.close()


def calls(rig, member):
    return [call[1] for call in rig.mock.calls() if call[0] == member]


# Which jobs are meant

def names(ran):
    return [line.split()[0] for line in ran.stdout.splitlines()]


def test_patterns_and_registries_select_jobs(rig):
    assert names(rig.ctl('list', '--no-legend', 'edge-*')) == ['edge-1', 'edge-2']
    assert names(rig.ctl('list', '--no-legend', '--registry=quay.example.com')) == ['edge-1', 'lab']
    assert names(rig.ctl('list', '--no-legend', '--registry=quay.example.com', 'edge-?', 'lab')) == ['edge-1', 'lab']
    assert names(rig.ctl('list', '--no-legend', 'lab', '*')) == ['lab', 'edge-1', 'edge-2']
    assert [job['name'] for job in json.loads(rig.ctl('status', '--json', '[l-z]*').stdout)] == ['lab']


def test_what_selects_nothing_is_told_of(rig):
    ran = rig.ctl('list', 'x*')
    assert (ran.returncode, ran.stdout) == (4, '')
    assert ran.stderr == "pullauthctl: No job matches 'x*', 'pullauthctl list' shows all jobs\n"
    ran = rig.ctl('status', '--registry=quay.expample.com')
    assert (ran.returncode, ran.stdout) == (4, '')
    assert ran.stderr == "pullauthctl: No job of the registry 'quay.expample.com', did you mean 'quay.example.com'?\n"
    assert rig.ctl('list', '--registry=x.example', '--json').stdout == '[]\n'


def test_the_status_is_that_of_the_selected_jobs(rig):
    assert [rig.ctl('list', *what).returncode for what in (['edge-*'], ['lab'], [])] == [0, 3, 3]


def test_a_registry_is_refreshed_with_one_question(rig):
    rig.mock.answer('RefreshRegistry', [['edge-1', 3], ['lab', 5]])
    ran = rig.ctl('refresh', '--registry=quay.example.com')
    assert (ran.returncode, ran.stdout) == (0, 'edge-1: attempt 3 asked for\nlab: attempt 5 asked for\n')
    assert calls(rig, 'RefreshRegistry') == ['quay.example.com'] and not calls(rig, 'RefreshJob')
    rig.ctl('refresh', '--registry=quay.example.com', '*')
    assert calls(rig, 'RefreshJob') == ['edge-1', 'lab']


def test_a_disabled_job_is_no_trouble(rig):
    rig.mock.job('off', State='inactive', Enabled=False, Registry='quay.example.com', Robot='acme+off')
    ran = rig.ctl('list', 'off')
    assert ran.returncode == 0 and '1 job: 1 disabled\n' in ran.stdout
    ran = rig.ctl('status', 'off')
    assert "State: disabled, 'pullauthctl enable off' lets it work\n" in ran.stdout
    assert "'off'" not in rig.ctl('refresh').stderr


def test_status_shows_what_is_not_as_usual(rig):
    rig.mock.job('lab', OnExpiry='retain', OnRemove='retain', MinimumRemaining=25 * 60 * 1000000, TakeOver=True,
                 WakeSystem=True, Runtime=True, IdentityAlgorithm='RS256', IdentityKeyID='k1', Failures=4)
    shown = rig.ctl('status', 'lab').stdout
    assert (' Settings: OnExpiry=retain, OnRemove=retain, MinimumRemaining=25min, TakeOver=yes, WakeSystem=yes, '
            'until the next boot only\n') in shown
    assert '           signed with RS256, key k1\n' in shown
    assert 'Settings' not in rig.ctl('status', 'edge-1').stdout


def test_status_names_units_and_robot_accounts_of_pods(rig):
    rig.mock.job('lab', Units=['app.service', 'web@*.service'], PodRobots=['acme+*'])
    shown = rig.ctl('status', 'lab').stdout
    assert '    Units: app.service\n           web@*.service\n' in shown and '  Pods as: acme+*\n' in shown
    assert json.loads(rig.ctl('status', 'lab', '--json').stdout)[0]['units'] == ['app.service', 'web@*.service']
    shown = rig.ctl('status', 'edge-1').stdout
    assert 'Units' not in shown and 'Pods' not in shown


def test_status_names_an_exchange_that_is_not_quays(rig):
    rig.mock.job('lab', Exchange='token', Robot='serviceaccount')
    assert ' Settings: Exchange=token\n' in rig.ctl('status', 'lab').stdout
    assert json.loads(rig.ctl('status', 'lab', '--json').stdout)[0]['exchange'] == 'token'
    assert 'Exchange' not in rig.ctl('status', 'edge-1').stdout


def test_a_narrow_terminal_has_the_columns_that_matter(rig):
    shown = rig.on_terminal('list', '--color=never', '--no-pager', columns=40)[1].splitlines()
    assert shown[0].split() == ['JOB', 'STATE', 'LEFT', 'NEXT']
    assert max(len(line) for line in shown[:4]) <= 40


# enable, disable, remove, reset-failed

@pytest.mark.parametrize('verb, member, done, call', [
    ('enable', 'EnableJob', 'enabled', '["edge-1", 0]'), ('disable', 'DisableJob', 'disabled', '["edge-1", 0]'),
    ('remove', 'RemoveJob', 'removed', 'edge-1'), ('reset-failed', 'ResetFailedJob', 'failures forgotten', 'edge-1')])
def test_one_method_for_each_job(rig, verb, member, done, call):
    ran = rig.ctl(verb, 'edge-1')
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f'edge-1: {done}\n', '')
    assert calls(rig, member) == [call]
    assert rig.ctl(verb, 'edge-1', '--json').stdout == ''
    assert rig.ctl(verb, 'lab', 'edge-1').stdout == f'lab: {done}\nedge-1: {done}\n'
    ran = rig.ctl(verb, 'edge1', 'lab')
    assert (ran.returncode, ran.stdout) == (4, f'lab: {done}\n')
    assert "did you mean 'edge-1'" in ran.stderr


def test_patterns_are_for_what_can_be_undone(rig):
    rig.ctl('disable', '--runtime', 'edge-*')
    assert calls(rig, 'DisableJob') == ['["edge-1", 1]', '["edge-2", 1]']
    ran = rig.ctl('remove', 'edge-*')
    assert (ran.returncode, ran.stdout) == (2, '')
    assert ran.stderr.startswith('pullauthctl: Name each job, no patterns are taken here\n')
    assert calls(rig, 'RemoveJob') == []


def test_failures_of_all_jobs_are_forgotten_at_once(rig):
    assert rig.ctl('reset-failed').returncode == 0
    assert calls(rig, 'ResetFailed') == [[]] or len(calls(rig, 'ResetFailed')) == 1
    assert calls(rig, 'ResetFailedJob') == []


def test_a_refusal_holds_for_all_and_an_error_of_one_does_not(rig):
    rig.mock.on('RemoveJob', 'error', 'org.freedesktop.DBus.Error.AccessDenied', 'no')
    ran = rig.ctl('remove', 'edge-1', 'edge-2')
    assert ran.returncode == 1 and ran.stderr.count('polkit did not grant org.pullauth1.manage-jobs') == 1
    assert calls(rig, 'RemoveJob') == ['edge-1']
    rig.mock.on('EnableJob', 'error', ERROR + 'ConfigurationInvalid', 'x')
    assert rig.ctl('enable', 'edge-1', 'edge-2').returncode == 3
    assert len(calls(rig, 'EnableJob')) == 2


def test_who_may_not_change_a_job_is_told_the_daemons_words(rig):
    rig.mock.on('RemoveJob', 'error', ERROR + 'NotChangeable', "/usr/lib/pullauth/jobs/lab.job is the vendor's, "
                                                               'disable it instead')
    ran = rig.ctl('remove', 'lab')
    assert (ran.returncode, ran.stderr) == (
        1, "pullauthctl: /usr/lib/pullauth/jobs/lab.job is the vendor's, disable it instead\n")


# add and set

def test_settings_are_typed_as_the_interface_wants_them(rig):
    ran = rig.ctl('add', 'new', 'Registry=quay.example.com', 'Robot=acme+new', 'Scopes=acme/a acme/b', 'Scopes=acme/c',
                  'MinimumRemaining=25min', 'TakeOver=yes', 'OnExpiry=retain')
    assert (ran.returncode, ran.stdout) == (0, 'new: added\n')
    assert json.loads(calls(rig, 'CreateJob')[0]) == [
        'new', {'Registry': 'quay.example.com', 'Robot': 'acme+new', 'Scopes': ['acme/a', 'acme/b', 'acme/c'],
                'MinimumRemaining': 1500000000, 'TakeOver': True, 'OnExpiry': 'retain'}, 0]
    assert rig.ctl('add', 'new', 'Registry=q', 'Robot=a+b', '--runtime').stdout == 'new: added until the next boot\n'
    assert json.loads(calls(rig, 'CreateJob')[1])[2] == 1


def test_an_empty_value_is_sent_as_it_is(rig):
    assert rig.ctl('set', 'lab', 'Scopes=', 'Identity=', 'MinimumRemaining=').stdout == 'lab: changed\n'
    assert json.loads(calls(rig, 'ChangeJob')[0]) == ['lab', {'Scopes': [], 'Identity': '', 'MinimumRemaining': 0}, 0]


@pytest.mark.parametrize('word, said', [
    ('Registri=x', "There is no setting 'Registri=', did you mean 'Registry='?"),
    ('CAFile=/x', "There is no setting 'CAFile=' here, there are Registry=, Robot=, Identity=, "),
    ('Registry', "'Registry' is no setting, write KEY=VALUE"),
    ('TakeOver=maybe', 'TakeOver=maybe makes no sense, write yes or no'),
    ('MinimumRemaining=soon', 'MinimumRemaining=soon makes no sense, write a span of time like 20min')])
def test_settings_that_make_no_sense_are_not_sent(rig, word, said):
    ran = rig.ctl('set', 'lab', word)
    assert (ran.returncode, ran.stdout) == (2, '')
    assert ran.stderr.startswith('pullauthctl: ' + said)
    assert calls(rig, 'ChangeJob') == []


def test_a_job_that_cannot_work_yet_is_told_of_at_once(rig):
    rig.mock.job('new', **broken(Message="There is no identity 'default'", Reason='identity-missing'))
    ran = rig.ctl('add', 'new', 'Registry=q', 'Robot=a+b')
    assert ran.returncode == 3
    assert ran.stdout.startswith('new: added\n● new: failed, no credential')
    assert "There is no identity 'default'" in ran.stdout


# wait

def test_waiting_shows_how_the_jobs_stand(rig):
    rig.mock.answer('WaitJobs', [['edge-1', 'fresh', ''], ['lab', 'failed', 'robot-unknown']])
    ran = rig.ctl('wait', '--timeout=9min')
    assert ran.stdout == "● edge-1: fresh\n● lab: failed (robot-unknown), see 'pullauthctl status lab'\n"
    assert ran.returncode == 3
    assert json.loads(calls(rig, 'WaitJobs')[0])[0] == []
    assert 8 * 60 * 1000000 < json.loads(calls(rig, 'WaitJobs')[0])[1] <= 9 * 60 * 1000000
    rig.mock.answer('WaitJobs', [['edge-1', 'fresh', '']])
    ran = rig.ctl('wait', 'edge-1', '--json')
    assert (ran.returncode, json.loads(ran.stdout)) == (0, [{'name': 'edge-1', 'state': 'fresh', 'reason': ''}])
    assert json.loads(calls(rig, 'WaitJobs')[1])[0] == ['edge-1']


def test_a_misspelt_name_is_not_waited_for(rig):
    assert rig.ctl('wait', 'edge-3').returncode == 4
    assert calls(rig, 'WaitJobs') == []


def test_more_than_the_daemon_waits_at_once_is_asked_for_in_pieces(rig):
    rig.mock.answer('WaitJobs', [['edge-1', 'fresh', '']])
    rig.ctl('wait', '--timeout=infinity')
    assert json.loads(calls(rig, 'WaitJobs')[0])[1] == 600 * 1000000


@pytest.mark.parametrize('verb', [['add', 'lab', 'Registry=q', 'Robot=a+b'], ['set', 'lab', 'Identity=x'],
                                  ['enable', 'lab']])
def test_a_change_can_be_waited_for(rig, verb):
    rig.mock.answer('WaitJobs', [['lab', 'fresh', '']])
    ran = rig.ctl(*verb, '--wait')
    assert ran.returncode == 0 and ran.stdout.endswith('● lab: fresh\n')
    assert json.loads(calls(rig, 'WaitJobs')[0])[0] == ['lab']


# test

STEPS = [['token', 'ok', 1400, 'read from /run/quay.jwt'], ['claims', 'ok', 0, ''], ['tls', 'ok', 37000, 'TLS 1.3'],
         ['exchange', 'failed', 2100000, 'HTTP 400'], ['verification', 'skipped', 0, ''],
         ['publication', 'skipped', 0, '']]
FAILURE = {'Step': 'exchange', 'Reason': 'robot-unknown', 'Message': 'There is no such robot', 'HTTPStatus': 400,
           'RegistryWords': 'Could not find robot', 'Hint': 'Correct Robot='}


def test_a_trial_shows_each_step_and_what_to_do(rig):
    rig.mock.answer('TestJob', STEPS, FAILURE)
    ran = rig.ctl('test', 'lab')
    assert ran.stdout == '''\
STEP          RESULT       TIME  WHAT
token         ok          1.4ms  read from /run/quay.jwt
claims        ok          0.0ms
tls           ok           37ms  TLS 1.3
exchange      failed       2.1s  HTTP 400
verification  skipped         -
publication   skipped         -

   Failed: exchange: There is no such robot (robot-unknown, HTTP 400)
 Registry: “Could not find robot”
    To do: Correct Robot=
'''
    assert ran.returncode == 3
    shown = json.loads(rig.ctl('test', 'lab', '--json').stdout)
    assert shown['steps'][0] == {'step': 'token', 'result': 'ok', 'time_usec': 1400,
                                 'detail': 'read from /run/quay.jwt'}
    assert shown['failure']['reason'] == 'robot-unknown' and shown['failure']['http_status'] == 400


def test_a_trial_that_worked_is_a_success(rig):
    rig.mock.answer('TestJob', STEPS[:3], {})
    ran = rig.ctl('test', 'lab')
    assert ran.returncode == 0 and ran.stdout.endswith('\nEvery step worked; nothing was changed\n')
    assert json.loads(rig.ctl('test', 'lab', '--json').stdout)['failure'] is None


# identity

CLAIMS = {'Issuer': 'https://oidc.example.com', 'Subject': 'edge-1', 'Audience': ['quay', 'vault'],
          'Algorithm': 'RS256', 'KeyID': 'k1', 'Problem': '', 'Hint': ''}


def test_an_identity_shows_what_to_enter_at_the_registry(rig):
    rig.mock.answer('ExplainIdentity', {**CLAIMS, 'Issued': soon(-60), 'Expires': soon(300)})
    ran = rig.ctl('identity', 'node')
    lines = ran.stdout.splitlines()
    assert lines[:5] == ['● node', '   Issuer: https://oidc.example.com', '  Subject: edge-1',
                         ' Audience: quay, vault', '   Signed: RS256, key k1']
    assert 'Set robot federation' in ran.stdout and ran.returncode == 0
    assert calls(rig, 'ExplainIdentity') == ['node']
    assert json.loads(rig.ctl('identity', 'node', '--json').stdout)[0]['subject'] == 'edge-1'


def test_without_a_name_the_identities_of_jobs_are_meant(rig):
    rig.mock.job('lab', Identity='other')
    rig.mock.answer('ExplainIdentity', CLAIMS)
    shown = json.loads(rig.ctl('identity', '--json').stdout)
    assert [one['name'] for one in shown] == ['default', 'other']


def test_what_a_registry_would_not_take_needs_attention(rig):
    rig.mock.answer('ExplainIdentity', {**CLAIMS, 'Problem': 'The issuer is not https', 'Hint': 'Change it'})
    ran = rig.ctl('identity', 'node')
    assert ran.returncode == 3
    assert '  Problem: The issuer is not https\n    To do: Change it\n' in ran.stdout
    rig.mock.on('ExplainIdentity', 'error', ERROR + 'NoSuchIdentity', "There is no identity 'nod'")
    ran = rig.ctl('identity', 'nod')
    assert (ran.returncode, ran.stdout, ran.stderr) == (4, '', "pullauthctl: There is no identity 'nod'\n")


# render, metrics, credential

def test_a_target_and_metrics_keep_their_lines(rig):
    text = '{\n\t"auths": {\n        "q": {"auth": "***"}\n\t}\n}\n'
    rig.mock.answer('RenderTarget', text)
    assert rig.ctl('render', 'system').stdout == text
    assert calls(rig, 'RenderTarget') == ['system']
    rig.mock.answer('GetMetrics', '# TYPE a gauge\na 1\n# EOF\n')
    assert rig.ctl('metrics').stdout == '# TYPE a gauge\na 1\n# EOF\n'


def test_no_escape_sequence_comes_out_of_a_target(rig):
    rig.mock.answer('RenderTarget', 'a\033[2Jb\x9b31mc\u202ed\u2066e\r\n')
    assert rig.ctl('render', 'system').stdout == 'a?[2Jb?31mc?d?e?\n'


AUTH = '{"auths":{"quay.example.com/acme":{"auth":"' + 'c2VjcmV0' * 40 + '"}}}\n'


def test_a_credential_is_printed_as_it_is(rig):
    rig.mock.answer('GetCredential', AUTH, soon(600))
    ran = rig.ctl('credential', 'edge-1')
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, AUTH, '')
    rig.mock.answer('GetCredentialForImage', 'edge-1', 'quay.example.com/acme', AUTH, soon(600))
    assert rig.ctl('credential', 'quay.example.com/acme/app:1').stdout == AUTH
    assert calls(rig, 'GetCredentialForImage') == ['quay.example.com/acme/app:1']


def test_a_memory_file_that_could_still_change_is_not_believed(rig):
    rig.mock.answer('GetCredential', '!' + AUTH, soon(600))
    ran = rig.ctl('credential', 'edge-1')
    assert (ran.returncode, ran.stdout) == (1, '') and 'c2VjcmV0' not in ran.stderr


def test_where_there_is_no_credential_the_daemon_says_why(rig):
    rig.mock.on('GetCredential', 'error', ERROR + 'NoCredential', "Job 'lab' has none: see 'pullauthctl status lab'")
    ran = rig.ctl('credential', 'lab')
    assert (ran.returncode, ran.stdout) == (3, '')
    assert ran.stderr == "pullauthctl: Job 'lab' has none: see 'pullauthctl status lab'\n"


# Pipes and pagers

def test_a_reader_that_has_enough_is_no_error(rig):
    rig.mock.answer('GetMetrics', 'x 1\n' * 100000)
    for words in ('metrics', 'list', 'status', 'credential edge-1'):
        rig.mock.answer('GetCredential', AUTH, soon(600))
        assert rig.shell(f'{{ pullauthctl {words}; echo $? >&2; }} | true').split() in (['0'], ['3']), words


def test_a_full_disk_is_an_error(rig):
    assert 'Cannot write to standard output: No space left on device' in rig.shell('pullauthctl list > /dev/full')


def test_long_output_on_a_terminal_goes_through_the_chosen_pager(rig):
    pager = 'sed s/^/PAGED:/'
    assert 'PAGED:edge-1' in rig.on_terminal('list', '--color=never', SYSTEMD_PAGER=pager, PAGER='false')[1]
    assert 'PAGED:edge-1' in rig.on_terminal('list', '--color=never', PAGER=pager)[1]
    for off in ({'SYSTEMD_PAGER': ''}, {'SYSTEMD_PAGER': 'cat'}):
        assert 'PAGED' not in rig.on_terminal('list', **off, PAGER=pager)[1]
    assert 'PAGED' not in rig.on_terminal('list', '--no-pager', PAGER=pager)[1]
    assert 'PAGED' not in rig.ctl('list', PAGER=pager).stdout
    assert 'PAGED' not in rig.on_terminal('reset-failed', 'lab', PAGER=pager)[1]


@needs_spawn_errors
def test_a_pager_that_is_not_there_is_no_loss(rig):
    shown = rig.on_terminal('list', '--color=never', PAGER='/nonexistent/pager', PATH='/nonexistent')
    assert 'edge-1' in shown[1] and shown[0] == 3


def test_less_is_kept_from_running_commands_under_sudo(rig, tmp_path):
    less = tmp_path / 'less'
    less.write_text('#!/bin/sh\necho "secure=$LESSSECURE options=$LESS"; cat\n')
    less.chmod(0o755)
    path = f'{tmp_path}:/usr/bin:/bin'
    shown = rig.on_terminal('list', PATH=path, SUDO_UID='1000', PAGER='sed s/^/PAGED:/')[1]
    assert 'secure=1 options=FRSXMK' in shown and 'PAGED' not in shown
    shown = rig.on_terminal('list', PATH=path, PAGER='less', SYSTEMD_LESS='FR')[1]
    assert 'secure= options=FR' in shown


# The command line

@pytest.mark.parametrize('arguments, said', [
    (['--regsitry=x', 'list'], "There is no option '--regsitry', did you mean '--registry'?"),
    (['--no', 'list'], "'--no' may be --no-ask-password, --no-legend, --no-pager"),
    (['-x'], "There is no option '-x'"),
    (['list', '--timeout'], '--timeout needs a value, write --timeout=SPAN'),
    (['list', '--no-pager=yes'], '--no-pager takes no value'),
    (['list', '--runtime'], "--runtime is for 'add', 'set', 'edit', 'enable' and 'disable' only"),
    (['enable'], "'enable' wants more: pullauthctl enable JOB..."),
    (['add', 'x', 'Registry=q'], "'add' wants more: pullauthctl add JOB KEY=VALUE..."),
    (['test', 'a', 'b'], "'test' takes one argument"),
    (['metrics', 'a'], "'metrics' takes no arguments"),
    (['reset-faild'], "There is no command 'reset-faild', did you mean 'reset-failed'?")])
def test_a_wrong_command_line_suggests_the_near_one(rig, arguments, said):
    ran = rig.ctl(*arguments)
    assert (ran.returncode, ran.stdout) == (2, '')
    assert ran.stderr.startswith(f'pullauthctl: {said}')
    assert rig.mock.calls() == []
