# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauthctl: what it prints and how it ends, when all goes well with the daemon."""

import json
import re

import pytest
from ctl_rig import CtlRig, broken, fresh, lived, retrying, without_dates


@pytest.fixture
def rig():
    made = CtlRig()
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def three(rig):
    rig.mock.job('lab', **retrying())
    rig.mock.job('edge', **fresh())
    rig.mock.job('stage', **broken())
    return rig


def test_list_is_a_sorted_table_and_says_what_to_do(three):
    ran = three.ctl('list')
    assert ran.stdout == '''\
JOB   REGISTRY         ROBOT     STATE    REASON                     LEFT  NEXT
edge  quay.example.com acme+edge fresh    -                         43min 17min
lab   quay.example.com acme+lab  retrying federation-not-configured 13min 11min
stage -                -         failed   configuration-invalid         -     -

3 jobs: 1 fresh, 1 retrying, 1 failed
What is wrong and what to do: pullauthctl status lab stage
error: /etc/pullauth/jobs/stage.job:3: Robot= is missing
'''
    assert (ran.returncode, ran.stderr) == (3, '')


def test_list_without_legend_is_for_scripts(three):
    lines = three.ctl('list', '--no-legend').stdout.splitlines()
    assert [line.split()[0] for line in lines] == ['edge', 'lab', 'stage']


def test_the_command_alone_is_a_summary_with_remedies(three):
    ran = three.ctl()
    assert ran.stdout == '''\
pullauthd 0.1.0, 3 jobs: 1 fresh, 1 retrying, 1 failed
● edge   fresh     ████████░░░░ 43min left of 1h, refresh in 17min
● lab    retrying  ██░░░░░░░░░░ 13min left of 1h, next attempt in 11min
         exchange failed: The registry trusts no issuer for robot acme+lab (federation-not-configured, HTTP 400)
         → Add this host's issuer and subject to the robot account's federation in the registry
● stage  failed    ░░░░░░░░░░░░ no credential, no attempt planned
         configuration failed: Robot= is missing (configuration-invalid)
         error: /etc/pullauth/jobs/stage.job:3: Robot= is missing
'''
    assert (ran.returncode, ran.stderr) == (3, '')


def test_without_jobs_it_says_how_to_make_one(rig):
    ran = rig.ctl()
    assert ran.returncode == 0
    assert ran.stdout.startswith('pullauthd 0.1.0, 0 jobs\n')
    assert '/etc/pullauth/jobs/NAME.job' in ran.stdout and 'pullauthctl reload' in ran.stdout
    assert rig.ctl('status').stdout == ran.stdout
    assert rig.ctl('list').stdout == '0 jobs\n'


def test_status_draws_the_life_and_names_the_remedy(three):
    ran = three.ctl('status', 'lab')
    assert without_dates(ran.stdout) == '''\
● lab – acme+lab on quay.example.com
    State: retrying, the last attempt failed, the credential still stands
     Life: █████░░░░░░░░░░░░░░░░░░░ 13min left of 1h, next attempt in 11min
   Failed: exchange: The registry trusts no issuer for robot acme+lab (federation-not-configured, HTTP 400)
 Registry: “Robot does not have federated login configured”
    To do: Add this host's issuer and subject to the robot account's federation in the registry
  Expires: DATE, issued DATE
 Attempts: 2, 2 of them brought a credential, the last 3 failed
 Identity: default
           subject edge-1
           issuer https://oidc.example.com
           audience quay
   Scopes: quay.example.com/acme
  Targets: system  /etc/containers/auth.json  published
    Files: /etc/pullauth/jobs/lab.job
'''
    assert ran.returncode == 3


def test_status_in_a_c_locale_is_ascii(three):
    ran = three.ctl('status', 'edge', 'lab', LC_ALL='C')
    assert ran.stdout.isascii()
    assert '     Life: #################------- 43min left of 1h, refresh in 17min\n' in ran.stdout
    assert ' Registry: "Robot does not have federated login configured"\n' in ran.stdout


def test_status_of_a_fresh_job_is_a_success(three):
    assert three.ctl('status', 'edge').returncode == 0
    assert three.ctl('status', 'edge', 'lab').returncode == 3


def test_status_shows_named_jobs_in_their_order_and_once(three):
    headings = [line for line in three.ctl('status', 'lab', 'edge', 'lab').stdout.splitlines() if line.startswith('●')]
    assert [line.split()[1] for line in headings] == ['lab', 'edge']


def test_status_without_names_shows_everything(three):
    three.mock.manager(ConfigurationMessages=[('error', 0, '/etc/pullauth/jobs/-x.job', 'Not a name')])
    ran = three.ctl('status')
    assert [name for name in ('edge', 'lab', 'stage') if f'● {name}' in ran.stdout] == ['edge', 'lab', 'stage']
    assert ran.stdout.endswith('Configuration of no job\n  error: /etc/pullauth/jobs/-x.job: Not a name\n')


def test_an_error_in_files_of_no_job_needs_attention(rig):
    rig.mock.job('edge', **fresh())
    assert rig.ctl('list').returncode == 0
    rig.mock.manager(ConfigurationMessages=[('warning', 1, '/x', 'Odd')])
    assert rig.ctl('list').returncode == 0
    rig.mock.manager(ConfigurationMessages=[('error', 1, '/x', 'Bad')])
    assert [rig.ctl(*verb).returncode for verb in ([], ['list'], ['status'], ['status', 'edge'])] == [3, 3, 3, 0]


@pytest.mark.parametrize('state, left, reason, status', [
    ('fresh', 600, '', 0), ('refreshing', 600, '', 0), ('refreshing', 600, 'timeout', 3), ('refreshing', -600, '', 3),
    ('inactive', -600, '', 3), ('retrying', 600, 'timeout', 3), ('expired', -600, 'timeout', 3),
    ('failed', 600, 'robot-unknown', 3), ('of-the-future', 600, '', 3)])
def test_the_status_says_whether_a_job_is_well(rig, state, left, reason, status):
    rig.mock.job('edge', **fresh(State=state, Reason=reason, **lived(left)))
    assert [rig.ctl(*verb).returncode for verb in (['list'], ['status', 'edge'])] == [status] * 2


def test_all_ways_of_looking_agree_on_the_status(rig):
    rig.mock.job('edge', **fresh(State='expired'))
    verbs = ([], ['list'], ['status'], ['status', 'edge'], ['--json'], ['list', '--json'], ['status', '--json'])
    assert [rig.ctl(*verb).returncode for verb in verbs] == [3] * len(verbs)


def test_near_names_are_suggested(three):
    ran = three.ctl('status', 'egde')
    assert (ran.returncode, ran.stdout) == (4, '')
    assert ran.stderr == "pullauthctl: No job 'egde', did you mean 'edge'?\n"
    ran = three.ctl('status', 'production', 'edge')
    assert ran.returncode == 4 and ran.stdout.startswith('● edge')
    assert ran.stderr == "pullauthctl: No job 'production', 'pullauthctl list' shows all jobs\n"


def test_a_missing_job_wins_over_a_job_in_trouble(three):
    assert three.ctl('status', 'nothing', 'stage').returncode == 4


def test_json_of_a_list_has_the_documented_members(three):
    jobs = json.loads(three.ctl('list', '--json=short').stdout)
    assert [job['name'] for job in jobs] == ['edge', 'lab', 'stage']
    assert set(jobs[0]) == {'name', 'path', 'registry', 'robot', 'state', 'reason', 'expires', 'next_attempt', 'left'}
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', jobs[0]['expires'])
    assert 43 * 60 <= jobs[0]['left'] <= 43 * 60 + 30
    assert jobs[2]['expires'] is None and jobs[2]['next_attempt'] is None and jobs[2]['left'] == 0
    assert jobs[1]['path'] == '/org/pullauth1/job/lab'


def page(request):
    with open(request.config.rootpath / 'man' / 'pullauthctl.1.rst', encoding='utf-8') as file:
        return file.read()


def test_json_of_a_status_has_every_member_of_the_manual(three, request):
    manual = page(request)
    job, = json.loads(three.ctl('status', 'lab', '--json=pretty').stdout)
    assert job['http_status'] == 400 and job['registry_words'].startswith('Robot does not')
    assert job['target_states'] == [{'target': 'system', 'path': '/etc/containers/auth.json', 'state': 'published',
                                     'message': ''}]
    assert [member for member in job if not re.search(rf'\b{member}\b', manual)] == []


def test_json_of_everything_is_one_object(three):
    three.mock.manager(ConfigurationMessages=[('error', 7, '/x', 'Bad')])
    everything = json.loads(three.ctl('--json').stdout)
    assert set(everything) == {'version', 'ready', 'jobs', 'configuration_messages'}
    assert everything['version'] == '0.1.0' and everything['ready'] is True and len(everything['jobs']) == 3
    assert everything['configuration_messages'] == [{'severity': 'error', 'file': '/x', 'line': 7, 'text': 'Bad'}]
    assert everything['jobs'][2]['configuration_messages'][0]['line'] == 3


def test_json_without_a_mode_is_one_line_for_a_pipe_and_pretty_on_a_terminal(three):
    assert three.ctl('list', '--json').stdout.count('\n') == 1
    assert three.on_terminal('list', '--json')[1].count('\n') > 10
    assert three.ctl('list', '--json=off').stdout.startswith('JOB')


def test_json_stays_json_when_a_name_is_wrong(three):
    ran = three.ctl('status', 'nothing', '--json')
    assert (ran.returncode, ran.stdout) == (4, '[]\n')


def test_json_is_utf8_in_every_locale(rig):
    rig.mock.job('edge', **fresh(RegistryWords='Zugang für „edge“ gesperrt'))
    job, = json.loads(rig.ctl('status', '--json', LC_ALL='C').stdout)
    assert job['registry_words'] == 'Zugang für „edge“ gesperrt'


def test_colour_is_for_terminals(three):
    assert '\033' not in three.ctl('list').stdout
    assert '\033[32mfresh' in three.ctl('list', '--color=always').stdout
    assert '\033[32mfresh' in three.on_terminal('list')[1]
    assert '\033' not in three.on_terminal('list', '--color=never')[1]
    assert '\033' not in three.on_terminal('list', NO_COLOR='1')[1]
    assert '\033' not in three.on_terminal('list', TERM='dumb')[1]
    assert '\033' in three.on_terminal('list', '--color=always', NO_COLOR='1')[1]


def test_text_fits_the_terminal(three):
    for columns in (60, 80, 132):
        for verb in ([], ['list'], ['status', 'lab']):
            text = three.on_terminal('--color=never', *verb, columns=columns)[1]
            assert max(len(line) for line in text.splitlines()) <= columns, (columns, verb)


def test_reload_prints_what_is_wrong(rig):
    assert rig.ctl('reload').stdout == 'The configuration was read, nothing is wrong in it\n'
    rig.mock.manager(reload=[('warning', 4, '/etc/pullauth/jobs/lab.job', 'Unknown key')])
    ran = rig.ctl('reload')
    assert (ran.returncode, ran.stdout) == (0, 'warning: /etc/pullauth/jobs/lab.job:4: Unknown key\n')
    rig.mock.manager(reload=[('error', 0, '/etc/pullauth/jobs/lab.job', 'Robot= is missing')])
    ran = rig.ctl('reload', '--json')
    assert ran.returncode == 3
    assert json.loads(ran.stdout) == [{'severity': 'error', 'file': '/etc/pullauth/jobs/lab.job', 'line': 0,
                                       'text': 'Robot= is missing'}]


def test_looking_never_asks_for_a_password(three):
    three.ctl('status')
    three.ctl('list')
    assert {call[2] for call in three.mock.calls()} == {False}


def test_a_password_may_be_asked_for_unless_forbidden(rig):
    rig.mock.job('edge', **fresh())
    for verb, member in ((['reload'], 'Reload'), (['refresh'], 'RefreshAll'), (['refresh', 'edge'], 'RefreshJob')):
        rig.ctl(*verb)
        rig.ctl(*verb, '--no-ask-password')
        assert [call[2] for call in rig.mock.calls() if call[0] == member] == [True, False]


def test_help_is_there_in_three_ways(rig):
    whole = rig.ctl('--help')
    assert whole.returncode == 0 and whole.stdout.isascii()
    assert max(len(line) for line in whole.stdout.splitlines()) <= 80
    assert rig.ctl('help').stdout == rig.ctl('-h').stdout == whole.stdout
    for verb in ('list', 'status', 'refresh', 'reload', 'help'):
        assert f'\n  {verb} ' in whole.stdout
        ran = rig.ctl(verb, '--help')
        assert ran.returncode == 0 and ran.stdout.startswith(f'pullauthctl [OPTION...] {verb}')
        assert rig.ctl('help', verb).stdout == ran.stdout
    assert rig.ctl('--version').stdout.startswith('pullauthctl 0.')


@pytest.mark.parametrize('arguments, said', [
    (['stauts'], "There is no command 'stauts', did you mean 'status'?"),
    (['frobnicate'], "There is no command 'frobnicate'"),
    (['help', 'frobnicate'], "There is no command 'frobnicate'"),
    (['help', 'stauts'], "There is no command 'stauts', did you mean 'status'?"),
    (['reload', 'edge'], "'reload' takes no arguments"),
    (['help', 'list', 'status'], "'help' takes one argument"),
    (['--json=xml', 'list'], '--json=xml is not known, write pretty, short or off'),
    (['--color=blue'], '--color=blue is not known, write auto, always or never'),
    (['status', '--wait'], "--wait is for 'refresh', 'add', 'set' and 'enable' only"),
    (['refresh', '--timeout=5s'], '--timeout= says how long to wait, add --wait'),
    (['refresh', '--wait', '--timeout=soon'], '--timeout=soon is not known, write a span of time'),
    (['refresh', '--wait', '--timeout=0'], '--timeout=0 is not known, write a span of time'),
    (['--frob'], "There is no option '--frob'")])
def test_a_wrong_command_line_is_explained_and_asks_nobody(rig, arguments, said):
    ran = rig.ctl(*arguments)
    assert (ran.returncode, ran.stdout) == (2, '')
    assert ran.stderr.startswith(f'pullauthctl: {said}')
    assert ran.stderr.endswith("'pullauthctl --help' shows how it is used\n")
    assert rig.mock.calls() == []
