# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every method × every kind of caller: who may do what.

The methods are those of dbus/*.xml, what is expected of each stands in RIGHTS: a method without a row there fails. One
daemon serves all tests, which come in the order of CALLERS: first those who may nothing, and of whom nothing may stay.
"""

import os
import pwd
import xml.etree.ElementTree as ElementTree

import pytest
from client import JOB, MANAGER, ROOT, Client, GLib
from polkitd import Polkitd
from rig import DAEMON_USER, SLOW, STRANGER_UID, TOP, Host
from test_bus import needs_root

pytestmark = needs_root

EDGE, QUAY = 'edge', 'quay.example.com'
LOOK = None  # anyone may
NO_DETAILS = {}
OF_EDGE = {'job': EDGE, 'registry': QUAY}
OF_QUAY = {'registry': QUAY}
SPARE = {'job': 'spare', 'registry': 'spare.example.com'}
MADE = {'job': 'made', 'registry': 'made.example.com'}


def settings(**values):
    return {key: GLib.Variant('s', value) for key, value in values.items()}


# method → (action, details that polkit is told, signature, arguments …)
RIGHTS = {
    'Manager.ListJobs': (LOOK, None),
    'Manager.ListJobsByRegistry': (LOOK, None, 's', QUAY),
    'Manager.FindJobForImage': (LOOK, None, 's', f'{QUAY}/acme/app'),
    'Manager.ListRegistries': (LOOK, None),
    'Manager.GetJob': (LOOK, None, 's', EDGE),
    'Manager.GetMetrics': (LOOK, None),
    'Manager.WaitJobs': (LOOK, None, 'ast', [EDGE], 1000),
    'Manager.RefreshJob': ('refresh', OF_EDGE, 's', EDGE),
    'Manager.RefreshAll': ('refresh', NO_DETAILS),
    'Manager.RefreshRegistry': ('refresh', OF_QUAY, 's', QUAY),
    'Manager.ResetFailedJob': ('refresh', OF_EDGE, 's', EDGE),
    'Manager.ResetFailed': ('refresh', NO_DETAILS),
    'Manager.TestJob': ('refresh', OF_EDGE, 's', EDGE),
    'Manager.ExplainIdentity': ('refresh', {'identity': 'default'}, 's', 'default'),
    'Manager.Reload': ('reload', NO_DETAILS),
    'Manager.CreateJob': ('manage-jobs', MADE, 'sa{sv}t', 'made',
                          settings(Registry='made.example.com', Robot='acme+made'), 0),
    'Manager.ChangeJob': ('manage-jobs', SPARE, 'sa{sv}t', 'spare', settings(OnExpiry='retain'), 1),
    'Manager.EnableJob': ('manage-jobs', SPARE, 'st', 'spare', 0),
    'Manager.DisableJob': ('manage-jobs', OF_EDGE, 'st', EDGE, 0),
    'Manager.RemoveJob': ('manage-jobs', SPARE, 's', 'spare'),
    'Manager.RenderTarget': ('read-credential', {'target': 'system'}, 's', 'system'),
    'Manager.GetCredential': ('read-credential', OF_EDGE, 's', EDGE),
    'Manager.GetCredentialForImage': ('read-credential', OF_EDGE, 's', f'{QUAY}/acme/app'),
    'Manager.GetCredentialForRegistry': ('read-credential', OF_EDGE, 's', QUAY),
    'Job.Refresh': ('refresh', OF_EDGE),
}


def methods():
    for name in ('Manager', 'Job'):
        tree = ElementTree.parse(os.path.join(TOP, 'dbus', f'org.pullauth1.{name}.xml'))
        for method in tree.iter('method'):
            yield f'{name}.{method.get("name")}'


# Takes a descriptor: who may call it is asked in test_kubelet_pods.py.
ELSEWHERE = {'Manager.ExchangeToken'}
METHODS = [method for method in methods() if method not in ELSEWHERE]


class Matrix:
    """The daemon of all these tests, in a state that each finds as if it were the first."""

    def __init__(self):
        self.host = Host()
        self.host.standard()
        self.host.job('spare', registry='spare.example.com', more='Enabled=no\n')
        self.host.start()
        self.host.client.wait_job(EDGE, State='fresh')
        self.files = self.tree()

    def tree(self, *tops):
        found = {}
        for top in tops or ('etc/pullauth', 'run/pullauth/jobs'):
            for base, _names, files in os.walk(self.host.path(top)):
                for name in files:
                    path = os.path.relpath(os.path.join(base, name), self.host.root)
                    found[path] = os.path.isfile(self.host.path(path)) and self.host.read(path)
        return found

    def restore(self):
        now = {path for path in self.tree() if 'pullauth/jobs' in path}
        wanted = {path: text for path, text in self.files.items() if 'pullauth/jobs' in path}
        if {path: self.host.read(path) for path in now} != wanted:
            for path in now - set(wanted):
                os.unlink(self.host.path(path))
            for path, text in wanted.items():
                self.host.write(path, text)
            self.host.reload()
            self.host.client.wait_job(EDGE, State='fresh')

    def traces(self):
        """What any call that changes something would leave."""
        jobs = {name: self.host.client.job(name) for name in self.host.client.jobs()}
        return self.tree('etc', 'run/pullauth'), jobs, self.host.client.manager(), len(self.host.worker.requests)


@pytest.fixture(scope='module')
def matrix():
    made = Matrix()
    try:
        yield made
    finally:
        made.host.close()


class Case:
    """One method, and what may be asked of polkit about it."""

    def __init__(self, matrix, method):
        self.matrix, self.host = matrix, matrix.host
        self.interface = MANAGER if method.startswith('Manager.') else JOB
        self.path = ROOT if self.interface == MANAGER else f'{ROOT}/job/edge'
        self.member = method.split('.')[1]
        action, self.details, *self.arguments = RIGHTS[method]
        self.question = action and (f'org.pullauth1.{action}', self.details)
        self.client = None
        self.daemon = self.host.daemon.pid

    def connect(self, user):
        self.client = Client(self.host.address, SLOW, user)

    def begin(self):
        return self.client.begin(self.interface, self.member, *self.arguments, path=self.path)

    def call(self):
        return self.begin().settle()

    def polkit(self, rule):
        made = Polkitd(self.host.address, rule, SLOW)
        self.host.stubs.append(made)
        return made

    def close(self):
        for stub in self.host.stubs:
            stub.stop()
        self.host.stubs.clear()
        self.client.close()


STRANGER = STRANGER_UID, pwd.getpwuid(STRANGER_UID).pw_gid
DENIED = 'org.freedesktop.DBus.Error.AccessDenied'
DIALOG = 'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired'


def refused(case, error):
    before = case.matrix.traces()
    pending = case.call()
    if not case.question:
        assert not pending.error
        return
    name, text = pending.error or (None, pending.reply)
    assert name == error and case.question[0] in text, (name, text)
    assert case.matrix.traces() == before


def granted(case):
    pending = case.call()
    assert not pending.error


def asked(case, polkit):
    assert polkit.questions == ([case.question] if case.question else [])


def user(case):
    polkit = case.polkit(lambda action, details: False)
    refused(case, DENIED)
    asked(case, polkit)


def member_of_the_daemons_group(case):
    """What a group may is polkit's to say, by the rule that tests/host tries: nobody but root and the daemon's user is
    let in without a question."""
    user(case)


def user_who_would_need_a_dialog(case):
    polkit = case.polkit(lambda action, details: None)
    refused(case, DIALOG)
    asked(case, polkit)


def user_with_a_rule_for_all_else(case):
    """Other actions, other jobs and other registries."""
    polkit = case.polkit(lambda *question: question != case.question)
    refused(case, DENIED)
    asked(case, polkit)


def user_without_polkit(case):
    refused(case, DENIED)


def user_whose_polkit_fails(case):
    polkit = case.polkit(lambda action, details: Polkitd.BROKEN)
    refused(case, DENIED)
    asked(case, polkit)


def user_who_is_gone_meanwhile(case):
    if not case.question:
        return
    polkit = case.polkit(lambda action, details: Polkitd.HOLD)
    before = case.matrix.traces()
    case.begin()
    polkit.wait_asked()
    case.client.connection.close_sync(None)
    polkit.wait_cancelled()
    polkit.release(True)
    assert case.matrix.traces() == before


def root(case):
    polkit = case.polkit(lambda action, details: False)
    granted(case)
    assert polkit.questions == []


def root_without_polkit(case):
    granted(case)


def daemons_user(case):
    root(case)


def user_with_a_rule(case):
    polkit = case.polkit(lambda *question: question == case.question)
    granted(case)
    asked(case, polkit)


def user_whose_polkit_is_slow(case):
    polkit = case.polkit(lambda action, details: Polkitd.HOLD)
    pending = case.begin()
    if case.question:
        polkit.wait_asked()
        assert case.host.client.call('org.freedesktop.DBus.Peer', 'Ping') == (), 'nobody else waits for it'
        assert not pending.done and case.matrix.tree() == case.matrix.files
        polkit.release(True)
    pending.settle()
    assert not pending.error
    asked(case, polkit)


CALLERS = [(user, STRANGER), (member_of_the_daemons_group, (STRANGER_UID, DAEMON_USER.pw_gid)),
           (user_who_would_need_a_dialog, STRANGER), (user_with_a_rule_for_all_else, STRANGER),
           (user_without_polkit, STRANGER), (user_whose_polkit_fails, STRANGER), (user_who_is_gone_meanwhile, STRANGER),
           (root, None), (root_without_polkit, None), (daemons_user, (DAEMON_USER.pw_uid, DAEMON_USER.pw_gid)),
           (user_with_a_rule, STRANGER), (user_whose_polkit_is_slow, STRANGER)]


def test_rights_have_a_row_for_each_method():
    assert set(METHODS) == set(RIGHTS)


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('kind, who', CALLERS, ids=[kind.__name__ for kind, _ in CALLERS])
def test_rights(matrix, kind, who, method):
    case = Case(matrix, method)
    matrix.restore()
    case.connect(who)
    try:
        kind(case)
    finally:
        case.close()
    assert matrix.host.daemon.poll() is None


def test_actions_are_those_of_the_policy():
    tree = ElementTree.parse(os.path.join(TOP, 'polkit', 'org.pullauth1.policy'))
    known = {action.get('id') for action in tree.iter('action')}
    assert known == {f'org.pullauth1.{row[0]}' for row in RIGHTS.values() if row[0]}
