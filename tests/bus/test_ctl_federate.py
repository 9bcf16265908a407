# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauthctl federate: daemon, worker and helper as they are, against the API of the simulated Quay."""

import json
import os
import pty
import select
import signal
import subprocess

import pytest
from ctl_rig import needs_spawn_errors
from rig import DAEMON_UID, ROOT, SLOW, WRAPPER, as_user, program
from test_end_to_end import quay, world  # noqa: F401

PATH = '/api/v1/organization/acme/robots/edge/federation'
OTHER = {'issuer': 'https://issuer.example', 'subject': 'somebody else'}


class Federate:
    """The command on a host with one job, as the daemon's user, who may read the files and is not asked for rights."""

    def __init__(self, host, registry):
        self.host, self.quay = host, registry
        self.token = registry.api_token
        self.token_file(self.token + '\n')
        self.own = {'issuer': registry.issuer, 'subject': registry.subject}
        self.program = program(host.directory, 'pullauth-federate')
        host.start()
        host.client.wait_job('edge', State=lambda state: state not in ('inactive', 'refreshing'))
        registry.call('forget')

    def token_file(self, text):
        self.host.write('oauth', text, 0o600)

    def entries(self):
        headers = {'Authorization': f'Bearer {self.token}'}
        return self.quay.request(PATH, headers=headers).json()

    def put(self, *entries):
        """Straight into the registry, audiences and all."""
        self.quay.robot('acme+edge', federation=list(entries))

    def words(self, *arguments, job='edge', file=True):
        given = [f'--token-file={self.host.path("oauth")}'] if file else []
        return [*WRAPPER, program(self.host.directory, 'pullauthctl'), 'federate', job, f'--root={self.host.root}',
                *given, *arguments]

    def environment(self):
        return self.host.environment(PULLAUTH_FEDERATE_PROGRAM=self.program, TERM='dumb', LC_ALL='C.UTF-8')

    def run(self, *arguments, stdin=None, prefix=(), **more):
        """`prefix`: a command that executes this one in the end."""
        ran = subprocess.run([*prefix, *self.words(*arguments, **more)], input=stdin or '', text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment(),
                             cwd=self.host.directory, timeout=60 * SLOW, **as_user(DAEMON_UID))
        assert self.token not in ran.stdout + ran.stderr
        return ran

    def refused(self, *arguments, status=1, **more):
        """What it said, one text, when it did not do it; the registry was not written to."""
        ran = self.run(*(arguments or ['--yes']), **more)
        assert ran.returncode == status, ran.stdout + ran.stderr
        assert self.requests('POST') == 0
        return ran.stderr

    def requests(self, method):
        return len([seen for seen in self.quay.requests(PATH) if seen['method'] == method])

    def talk(self, *exchange, arguments=(), **more):
        """On a terminal: to each question its answer. Returns the status and all that was written."""
        words, directory, environment = self.words(*arguments, **more), self.host.directory, self.environment()
        pid, terminal = pty.fork()
        if pid == 0:
            if ROOT:
                os.setgid(DAEMON_UID)
                os.setuid(DAEMON_UID)
            os.chdir(directory)
            os.execvpe(words[0], words, environment)
        written, shown, asked = b'', '', list(exchange)
        while select.select([terminal], [], [], 60 * SLOW)[0]:
            try:
                written += os.read(terminal, 65536)
            except OSError:  # the other side is closed
                break
            # All of it anew: a piece may end within a character, or a line's end.
            shown = written.decode(errors='replace').replace('\r\n', '\n')
            if asked and shown.endswith(asked[0][0]):
                os.write(terminal, asked.pop(0)[1].encode())
        os.close(terminal)
        assert self.token not in shown and not asked
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


@pytest.fixture
def federate(world):  # noqa: F811
    host, registry, _worker = world
    return Federate(host, registry)


def test_a_job_of_another_registry_has_no_federation(federate):
    federate.host.job('shop', registry='localhost:1', more='Username=u\nScopes=shop\nExchange=token\n')
    federate.host.reload()
    said = federate.refused('--yes', job='shop')
    assert "'shop' has Exchange=token" in said and 'identity default' in said and federate.requests('GET') == 0


# What it does

def test_a_robot_account_that_trusts_nobody_comes_to_trust_this_host(federate):
    federate.put()
    ran = federate.run('--yes')
    assert (ran.returncode, ran.stderr) == (0, 'The registry kept no audience: tokens for any are taken\n')
    assert ran.stdout == f'''\
acme+edge on {federate.quay.quay}: the federation and what would become of it
  added    issuer   {federate.quay.issuer}
           subject  {federate.quay.subject}
           audience quay
edge: the federation is set
'''
    assert federate.entries() == [federate.own]
    attempt = federate.host.client.call('org.pullauth1.Manager', 'RefreshJob', 's', 'edge')
    assert federate.host.client.wait_job('edge', AttemptsEnded=attempt, timeout=60)['State'] == 'fresh'


def test_one_that_does_so_already_is_left_alone(federate):
    before = federate.entries()
    ran = federate.run('--yes')
    assert (ran.returncode, ran.stderr) == (0, '')
    assert ran.stdout.endswith('edge: nothing to change\n') and ': the federation trusts this host\n' in ran.stdout
    assert federate.entries() == before and federate.requests('POST') == 0


def test_entries_of_others_stay(federate):
    federate.put(OTHER, {**federate.own, 'subject': 'host-2'})
    ran = federate.run('--yes')
    assert ran.returncode == 0 and [line.split()[0] for line in ran.stdout.splitlines()[1:-2] if line[2] != ' '] == \
        ['kept', 'kept', 'added']
    assert federate.entries() == [OTHER, {**federate.own, 'subject': 'host-2'}, federate.own]


def test_entries_of_others_go_only_if_that_is_asked_for(federate):
    federate.put(OTHER, federate.own)
    ran = federate.run('--yes', '--replace')
    assert ran.returncode == 0 and f'removed  issuer   {OTHER["issuer"]}' in ran.stdout
    assert f'kept     issuer   {federate.quay.issuer}' in ran.stdout
    assert federate.entries() == [federate.own]


def test_a_dry_run_shows_the_difference_and_changes_nothing(federate):
    federate.put(OTHER)
    ran = federate.run('--dry-run', '--replace')
    assert (ran.returncode, ran.stderr) == (0, '')
    assert 'added' in ran.stdout and 'removed' in ran.stdout
    assert ran.stdout.endswith('edge: nothing was changed (--dry-run)\n')
    assert federate.entries() == [OTHER] and federate.requests('POST') == 0


def test_audiences_of_entries_are_not_lost_without_a_word(federate):
    guarded = {**OTHER, 'audiences': ['theirs']}
    federate.put(guarded)
    assert '--drop-audiences' in federate.refused()
    assert federate.entries() == [guarded]
    ran = federate.run('--yes', '--drop-audiences')
    assert ran.returncode == 0 and federate.entries() == [OTHER, federate.own]
    federate.put(guarded)
    assert federate.run('--yes', '--replace').returncode == 0, 'an entry that goes loses nothing'
    assert federate.entries() == [federate.own]


def test_an_entry_that_wants_another_audience_takes_ours_as_well(federate):
    federate.put({**federate.own, 'audiences': ['theirs']})
    ran = federate.run('--yes', '--drop-audiences')
    assert ran.returncode == 0 and '  changed  issuer' in ran.stdout and 'audience theirs, quay\n' in ran.stdout
    assert federate.entries() == [federate.own]


def test_json_tells_the_plan_and_then_what_became_of_it(federate):
    federate.put(OTHER)
    planned = federate.run('--json', '--dry-run')
    ours = {'change': 'added', **federate.own, 'audiences': ['quay']}
    expected = {'name': 'edge', 'registry': federate.quay.quay, 'robot': 'acme+edge', **federate.own,
                'audience': ['quay'], 'differs': True, 'applied': False,
                'entries': [{'change': 'kept', **OTHER, 'audiences': []}, ours]}
    assert (planned.returncode, planned.stderr, json.loads(planned.stdout)) == (0, '', expected)
    done = federate.run('--json', '--yes')
    expected['applied'], ours['audiences'] = True, []
    assert (done.returncode, done.stderr, json.loads(done.stdout)) == (0, '', expected)
    again = json.loads(federate.run('--json', '--yes').stdout)
    assert (again['differs'], again['applied'], again['entries'][1]['change']) == (False, False, 'kept')


# Questions

def test_on_a_terminal_token_and_consent_are_asked_for(federate):
    federate.put()
    prompt = f'OAuth token for {federate.quay.quay} (scope org:admin): '
    question = 'Set this federation? [y/N] '
    status, written = federate.talk((prompt, federate.token + '\n'), (question, 'n\n'), file=False)
    assert (status, federate.entries()) == (1, []) and written.endswith('edge: nothing was changed\n')
    status, written = federate.talk((prompt, federate.token + '\n'), (question, 'y\n'), file=False)
    assert (status, federate.entries()) == (0, [federate.own]) and 'edge: the federation is set\n' in written
    status, _ = federate.talk((prompt, '\x03'), file=False)
    assert status == 1
    # talk() sees to it that the token is not shown.
    assert federate.talk((prompt, federate.token + '\n'), file=False, arguments=['--token-file=-', '--yes'])[0] == 0


@pytest.mark.parametrize('arguments, said', [
    (['--json'], '--yes or --dry-run'),
    ([], 'There is no terminal to ask on'),
    (['--yes', '--dry-run'], '--dry-run changes nothing'),
], ids=' '.join)
def test_where_nothing_can_be_asked_it_says_what_to_add(federate, arguments, said):
    ran = federate.run(*arguments)
    assert ran.returncode == 2 and said in ran.stderr and ran.stdout == ''
    assert federate.requests('GET') == 0


def test_without_a_terminal_and_a_file_there_is_no_token(federate):
    ran = federate.run('--yes', file=False)
    assert ran.returncode == 1 and '--token-file=' in ran.stderr
    ran = federate.run('--yes', '--no-ask-password', file=False)
    assert ran.returncode == 2 and '--token-file=' in ran.stderr


def test_a_token_may_come_through_standard_input(federate):
    federate.put()
    ran = federate.run('--token-file=-', '--yes', file=False, stdin=federate.token)
    assert (ran.returncode, federate.entries()) == (0, [federate.own])


@pytest.mark.parametrize('text', ['', '\n', 'two words\n', 'a\nb\n', 'x' * 5000, 'umlaut-ä\n'],
                         ids=['empty', 'blank', 'words', 'lines', 'long', 'not ASCII'])
def test_what_is_no_token_is_not_sent(federate, text):
    federate.token_file(text)
    said = federate.refused()
    assert 'no OAuth token' in said and (not text.strip() or text.strip() not in said)
    assert federate.requests('GET') == 0


def test_a_token_file_that_is_none(federate):
    os.unlink(federate.host.path('oauth'))
    assert 'Cannot read the OAuth token: No such file' in federate.refused()
    os.mkfifo(federate.host.path('oauth'))
    os.chmod(federate.host.path('oauth'), 0o666)
    assert '--token-file=-' in federate.refused()


# What goes wrong, each with what to do

REFUSALS = {
    'no token': (401, {'message': 'Invalid bearer token'}, 'does not accept the OAuth token', 'org:admin'),
    'scope missing': (403, {'error_message': 'Unauthorized', 'error_type': 'insufficient_scope'},
                      'does not give the right to change acme+edge', 'org:admin'),
    'no such robot': (404, {'message': 'Not Found'}, 'knows no robot account acme+edge', 'Robot='),
    'unknown robot': (400, {'error_message': 'Could not find robot with specified username'},
                      'knows no robot account acme+edge', 'Robot='),
    'not taken': (400, {'error_message': 'Issuer must be a URL (http:// or https://)'}, 'does not take this federation',
                  'Compare'),
    'read-only': (503, {'message': 'System is currently read-only.', 'is_readonly': True}, 'read-only', 'Wait'),
    'limited': (429, {'message': 'slow down'}, 'asks to be left alone', 'Wait'),
    'broken': (500, {'message': 'oh'}, 'failed', 'Try again'),
}


@pytest.mark.parametrize('status, answer, said, advice', REFUSALS.values(), ids=REFUSALS)
def test_the_registry_refuses_and_is_quoted(federate, status, answer, said, advice):
    federate.quay.misbehave('answer', PATH, status=status, json=answer)
    told = federate.refused()
    assert said in told and advice in told and (f'(status {status})' in told or status == 503)
    assert next(iter(answer.values())) in told


def test_a_wrong_token_is_refused_by_the_simulated_quay_itself(federate):
    federate.token_file('another-token')
    assert 'Unauthorized' in federate.refused()


def test_an_answer_that_repeats_the_token_is_not_shown(federate):
    federate.quay.misbehave('answer', PATH, status=403, json={'message': f'not with Bearer {federate.token}'})
    assert 'Bearer' not in federate.refused()


def test_another_server_than_a_quay(federate):
    federate.quay.misbehave('answer', PATH, status=404, content_type='text/html', body='<title>nothing here</title>')
    assert '3.13' in federate.refused()
    federate.quay.behave()
    federate.quay.misbehave('answer', PATH, status=302, headers={'Location': 'https://elsewhere.example/'})
    assert 'redirect' in federate.refused()


GARBAGE = {
    'page': '<html><title>Welcome</title></html>', 'nothing': '', 'object': '{"entries": []}', 'number': '[7]',
    'half an entry': '[{"issuer": "https://a"}]', 'twice': '[{"issuer": "a", "issuer": "b", "subject": "c"}]',
    'more than is known': '[{"issuer": "https://a", "subject": "b", "claims": {"x": "y"}}]',
    'nul': '[{"issuer": "https://a\\u0000", "subject": "b"}]', 'deep': '[' * 5000,
}


@pytest.mark.parametrize('body', GARBAGE.values(), ids=GARBAGE)
def test_garbage_in_place_of_a_federation(federate, body):
    federate.quay.misbehave('answer', PATH, status=200, content_type='application/json', body=body)
    told = federate.refused()
    assert f'What {federate.quay.quay} answered for the federation' in told and 'Check that Registry=' in told


def test_entries_with_control_characters_do_not_reach_the_terminal(federate):
    federate.put({'issuer': 'https://a\x1b[2J', 'subject': 'b\nc'})
    ran = federate.run('--dry-run')
    assert ran.returncode == 0 and '\x1b' not in ran.stdout and 'subject  b c\n' in ran.stdout
    assert federate.run('--yes').returncode == 0
    assert federate.entries()[0] == {'issuer': 'https://a\x1b[2J', 'subject': 'b\nc'}, 'it went back as it was'


@pytest.mark.parametrize('action, parameters', [
    ('hang', {'after': 'request'}), ('drip', {'chunk': 1, 'interval': 0.05})], ids=['hang', 'drip'])
def test_an_answer_that_takes_too_long(federate, action, parameters):
    federate.put(*[{**OTHER, 'subject': f'host-{number}'} for number in range(100)])
    federate.quay.misbehave(action, PATH, **parameters)
    told = federate.refused('--yes', '--timeout=1500ms')
    assert 'did not answer in time' in told and '--timeout=' in told and len(told.splitlines()) == 2


@pytest.mark.parametrize('action, parameters, said', [
    ('oversize-body', {'size': 50 * 1024 * 1024, 'length': 'chunked'}, 'larger than any that makes sense'),
    ('oversize-headers', {'size': 8000, 'number': 60}, 'larger than any that makes sense'),
    ('truncate', {}, 'ended early'),
    ('close', {'after': 'request'}, 'closed the connection without an answer'),
], ids=['endless', 'headers', 'truncated', 'closed'])
def test_an_answer_that_does_not_come_to_an_end(federate, action, parameters, said):
    federate.quay.misbehave(action, PATH, **parameters)
    told = federate.refused('--yes', '--timeout=5min')
    assert said in told and len(told.splitlines()) == 2


@pytest.mark.parametrize('certificate, said, advice', [
    ('untrusted', 'is not trusted', 'CAFile='), ('expired', 'expired or not yet valid', 'timedatectl'),
    ('wrong-name', 'for another name', 'Registry=')])
def test_a_server_that_is_not_who_it_should_be_gets_no_token(federate, certificate, said, advice):
    federate.quay.call('quay', certificate=certificate)
    told = federate.refused()
    assert said in told and advice in told and federate.requests('GET') == 0


def test_a_registry_that_is_not_there(federate):
    federate.quay.call('quay', listening=False)
    ran = federate.run('--yes')
    assert ran.returncode == 1 and 'No connection to' in ran.stderr and 'Proxy=' in ran.stderr


# Others change it meanwhile

def test_what_was_changed_between_the_question_and_the_answer_is_not_written_over(federate):
    federate.put()
    first = federate.quay.misbehave('change', PATH, method='GET', count=1, json=[OTHER])
    told = federate.refused()
    assert 'Somebody else changed' in told and 'again' in told and federate.entries() == []
    federate.quay.behave(first)


def test_what_the_registry_did_not_keep_is_told(federate):
    federate.put()
    federate.quay.misbehave('change', PATH, method='GET', skip=2, count=1, json=[OTHER])
    ran = federate.run('--yes')
    assert ran.returncode == 1 and 'has another one behind that' in ran.stderr
    assert 'the federation is set' not in ran.stdout


@pytest.mark.parametrize('rule', [{'method': 'POST'}, {'method': 'GET', 'skip': 2}], ids=['write', 'look'])
def test_a_write_without_an_answer_is_left_open(federate, rule):
    federate.put()
    federate.quay.misbehave('close', PATH, after='request', **rule)
    ran = federate.run('--yes')
    assert ran.returncode == 1 and 'It may be set all the same' in ran.stderr


# Job, identity, files

def test_a_job_that_is_not_there(federate):
    ran = federate.run('--yes', job='egde')
    assert ran.returncode == 4 and "did you mean 'edge'" in ran.stderr
    federate.host.job('second', more='Scopes=acme/second\n')
    federate.host.reload()
    ran = federate.run('--yes', job='*')
    assert ran.returncode == 2 and 'Name one job' in ran.stderr


def test_a_job_whose_files_say_something_else_by_now(federate):
    federate.host.job(registry='elsewhere.example', more='CAFile=/etc/pullauth/ca.pem\n')
    assert 'pullauthctl reload' in federate.refused()


def test_a_ca_file_that_cannot_be_read(federate):
    os.unlink(federate.host.path('etc/pullauth/ca.pem'))
    told = federate.refused()
    assert '/etc/pullauth/ca.pem' in told and "job 'edge'" in told and federate.requests('GET') == 0


def test_an_identity_without_a_token(federate):
    os.unlink(federate.host.path('tokens/token'))
    assert federate.refused(status=3) and federate.requests('GET') == 0


def test_a_token_that_the_registry_would_not_take_is_told_but_no_obstacle(federate):
    federate.put()
    federate.host.token(federate.quay.jwt({'exp': 1700000000, 'iat': 1699990000}))
    ran = federate.run('--yes')
    assert ran.returncode == 3 and 'this host cannot work: ' in ran.stderr and federate.entries() == [federate.own]


# The program that asks

def helper(federate, script):
    path = os.path.join(federate.host.directory, 'helper')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'#!/bin/sh\n{script}\n')
    os.chmod(path, 0o755)
    federate.program = path


def test_the_token_is_in_no_argument_and_no_environment(federate):
    federate.put()
    seen = os.path.join(federate.host.directory, 'seen')
    os.mkdir(seen, 0o777)
    os.chmod(seen, 0o777)
    real = program(federate.host.directory, 'pullauth-federate')
    helper(federate, f'''cat /proc/$$/cmdline /proc/$$/environ /proc/$PPID/cmdline > {seen}/$$
readlink /proc/$$/fd/0 >> {seen}/$$
exec {real}''')
    assert federate.run('--yes').returncode == 0
    texts = [open(os.path.join(seen, name), 'rb').read() for name in os.listdir(seen)]
    assert len(texts) == 2, 'it looked, and it wrote'
    for text in texts:
        assert b'/memfd:' in text and federate.token.encode() not in text


@pytest.mark.parametrize('script, said', [
    ('echo nonsense', 'ended without an answer: it said nothing'),
    ('echo sorry >&2; exit 3', 'ended without an answer: sorry'),
    ('kill -SEGV $$', 'ended without an answer'), ('exec cat /dev/zero', 'ended without an answer'),
    ("echo '{\"message\": 1}'", 'ended without an answer'),
])
def test_a_helper_that_does_not_answer(federate, script, said):
    helper(federate, script)
    told = federate.refused()
    assert said in told and 'Install pullauthd again' in told


@needs_spawn_errors
def test_a_helper_that_is_not_there(federate):
    federate.program = '/nonexistent/helper'
    assert '/nonexistent/helper cannot be run: No such file' in federate.refused()


def test_the_helper_ends_with_the_tool(federate):
    federate.put()
    pids = os.path.join(federate.host.directory, 'pids')
    real = program(federate.host.directory, 'pullauth-federate')
    os.mkfifo(pids)
    os.chmod(pids, 0o666)
    helper(federate, f'echo $$ > {pids}; exec {real}')
    rule = federate.quay.misbehave('hang', PATH, after='request')
    process = subprocess.Popen(federate.words('--yes'), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=federate.environment(), cwd=federate.host.directory,
                               **as_user(DAEMON_UID))
    with open(pids, encoding='ascii') as file:
        pid = int(file.read())
    gone = os.pidfd_open(pid)
    federate.quay.requests(PATH, at_least=1, ended=False)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert select.select([gone], [], [], 20 * SLOW)[0], 'the helper goes on without anybody who wants its answer'
    os.close(gone)
    federate.quay.behave(rule)


def test_children_that_it_did_not_start_are_left_alone(federate):
    federate.put()
    ran = federate.run('--dry-run', prefix=['bash', '-c', '''sleep 1000 > /dev/null 2>&1 &
echo $! >&2
exec "$0" "$@"'''])
    assert ran.returncode == 0, ran.stderr
    os.kill(int(ran.stderr), signal.SIGKILL)  # it is still there


def test_what_reads_its_output_may_be_a_child_of_it(federate):
    federate.put()
    ran = federate.run('--dry-run', prefix=['bash', '-c', 'exec "$0" "$@" > >(exec cat)'])
    assert (ran.returncode, ran.stderr) == (0, '')
    assert ran.stdout == federate.run('--dry-run').stdout != ''


def test_the_helper_by_itself_says_who_runs_it(federate):
    ran = federate.host.run_as(DAEMON_UID, federate.program, 'x')
    assert ran.returncode == 1 and 'pullauthctl federate' in ran.stderr
    ran = federate.host.run_as(DAEMON_UID, federate.program)
    assert ran.returncode == 1 and 'pullauthctl federate' in ran.stderr and ran.stdout == ''
    assert federate.host.run_as(DAEMON_UID, federate.program, '--version').stdout.startswith('pullauth-federate 0.')
