# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what, with polkit as it is installed: its policy, the rule of our group, the example rule of the
manual, and no polkit at all. What is allowed is done by real units, which write where only they can."""

import dataclasses
import hashlib
import json
import os
import shutil
import stat
import subprocess
import typing

import pytest
from limits import slow
from polkit import Polkit
from product import DAEMON, MANAGER, NAME, PODMAN, ROOT, SYSTEM, Product

TRUSTED = '/etc/ssl/certs/ca-certificates.crt'
MEMBER, OPERATOR, VISITOR = 'member', 'foreman', 'visitor'
# Of the group pullauth without a password; making and changing jobs is for administrators.
OF_THE_GROUP = ('refresh', 'reload', 'read-credential')
IN_ETC, IN_RUN = '/etc/pullauth/jobs', '/run/pullauth/jobs'
WHERE = {0: IN_ETC, 1: IN_RUN}


def differences(before, after):
    return {key: (before.get(key), after.get(key)) for key in before.keys() | after.keys()
            if before.get(key) != after.get(key)}


class Site:
    """A host with three jobs, and users as an administrator would make them. Each test finds it as the first one
    did."""

    def __init__(self, machine, quay, top):
        self.machine, self.quay = machine, quay
        self.product = Product(machine, quay)
        self.product.clean()
        # Jobs that are made over the bus trust whom the host trusts.
        self.trusted = machine.read(TRUSTED)
        machine.write(TRUSTED, self.trusted + machine.read(f'/etc/containers/certs.d/{quay.quay}/ca.crt'))
        if machine.run('id', MEMBER, check=False).returncode != 0:
            machine.run('groupadd', 'operators')
            machine.run('useradd', '--groups', 'pullauth', MEMBER)
            machine.run('useradd', '--groups', 'operators', OPERATOR)
        with open(os.path.join(top, 'docs', 'examples', '40-operators.rules'), encoding='utf-8') as rule:
            self.rule = rule.read()
        self.configure('edge-1', 'acme/one')
        self.configure('lab', 'acme/lab')
        self.configure('spare', 'acme/spare', 'Enabled=no\n')
        self.files = self.job_files()
        self.product.write_token()
        self.product.enable()
        self.wait_settled()

    def configure(self, name, scope, more=''):
        self.product.configure(job=name, more=f'Scopes={scope}\n{more}')

    def wait_settled(self):
        """Both jobs have a credential, and their targets say what the daemon says of them."""
        for name in ('edge-1', 'lab'):
            self.product.wait_job(lambda job: job['State'] == 'fresh' and
                                  {row[2] for row in job['TargetStates']} == {'published'}, name)
        scopes = {f'{self.quay.quay}/acme/{name}' for name in ('one', 'lab')}
        for target in (SYSTEM, PODMAN):
            self.machine.wait_file(target, lambda text: json.loads(text)['auths'].keys() == scopes)

    def job_files(self):
        found = {}
        for top in (IN_ETC, IN_RUN):
            for base, _, names in os.walk(self.machine.path(top)):
                inside = base[len(self.machine.path('')):]
                found.update({f'{inside}/{name}': bytes(self.machine.read(f'{inside}/{name}')) for name in names})
        return found

    def restore(self):
        now = self.job_files()
        if now != self.files:
            for path in now.keys() - self.files.keys():
                self.machine.remove(path)
            for path, text in self.files.items():
                self.machine.write(path, text)
            self.product.call('Reload')
            self.wait_settled()

    def forget_attempts(self):
        """A second attempt on demand is made some seconds later, unless the daemon knows of no first one."""
        if any(self.product.job(name)['AttemptsEnded'] for name in ('edge-1', 'lab', 'spare')):
            self.machine.run('systemctl', 'restart', DAEMON)
            self.wait_settled()

    def traces(self):
        """What any call that does something would leave."""
        found = {('file', path): text for path, text in self.job_files().items()}
        found['target'] = hashlib.sha256(self.machine.read(SYSTEM)).hexdigest()
        found['exchanges'] = self.product.exchanges()
        for name in self.product.states():
            job = self.product.job(name)
            del job['TargetStates']  # which come when it is their turn; what is in the target is looked at
            found.update({(name, key): value for key, value in job.items()})
        return found

    def ctl(self, *arguments, user=None):
        return self.machine.run('pullauthctl', '--no-ask-password', *arguments, user=user, check=False)

    def busctl(self, member, *arguments, user=None):
        return self.machine.run('busctl', 'call', NAME, ROOT, MANAGER, member, *arguments, user=user, check=False)

    def close(self):
        self.machine.write(TRUSTED, self.trusted)


# --- what comes of a call that is allowed ---------------------------------------------------------------------------

def refreshed(name):
    def came(site, before, _output):
        ended = before[name, 'AttemptsEnded']
        job = site.product.wait_job(lambda job: job['AttemptsEnded'] > ended, name)  # it may only have been asked for
        assert job['AttemptsEnded'] == job['AttemptsStarted'] == ended + 1
    return came


def all_refreshed(site, before, output):
    for name in ('edge-1', 'lab'):
        refreshed(name)(site, before, output)


def nothing_changed(site, before, _output):
    assert differences(before, site.traces()) == {}


def tried(site, before, _output):
    assert differences({**before, 'exchanges': before['exchanges'] + 1}, site.traces()) == {}


def explained(site, before, output):
    nothing_changed(site, before, output)
    assert site.quay.issuer in output and site.quay.subject in output


def taken_note(site, _before, _output):
    assert 'late' in site.product.states()


def made(flags):
    def came(site, _before, _output):
        path = f'{WHERE[flags]}/made.job'
        found = os.stat(site.machine.path(path))
        assert stat.S_IMODE(found.st_mode) == 0o644 and b'acme+edge' in site.machine.read(path)
        job = site.product.wait_job(lambda job: job['State'] == 'fresh', 'made')
        assert job['Runtime'] == bool(flags) and job['ConfigurationFiles'] == [path]
        assert f'{site.quay.quay}/acme/made'.encode() in site.machine.read(SYSTEM)
    return came


def changed(flags):
    def came(site, _before, _output):
        job = site.product.job('spare')
        assert job['OnExpiry'] == 'retain'
        assert [path for path in job['ConfigurationFiles'] if path.startswith(f'{WHERE[flags]}/spare.job.d/')]
    return came


def enabled(site, _before, _output):
    site.product.wait_job(lambda job: job['State'] == 'fresh', 'spare')


def disabled(site, _before, _output):
    site.product.wait_job(lambda job: job['State'] == 'inactive', 'lab')
    site.machine.wait_file(SYSTEM, lambda text: f'{site.quay.quay}/acme/lab'.encode() not in text)


def removed(site, _before, _output):
    assert 'spare' not in site.product.states() and not site.machine.exists(f'{IN_ETC}/spare.job')


def shown(site, before, _output):
    nothing_changed(site, before, _output)


@dataclasses.dataclass
class Case:
    action: str
    job: str  # as polkit is told, or ''
    ctl: list
    busctl: list
    came: typing.Callable
    before: typing.Callable = lambda site: None


def settings(**values):
    """As busctl wants a dictionary."""
    words = [str(len(values))]
    for key, value in values.items():
        words += [key, *(['as', '1', value[0]] if isinstance(value, list) else ['s', value])]
    return words


MADE = {'Registry': '@QUAY@', 'Robot': 'acme+edge', 'Scopes': ['acme/made']}
ADD = ['made', 'Registry=@QUAY@', 'Robot=acme+edge', 'Scopes=acme/made']

CASES = {
    'refresh of edge-1': Case('refresh', 'edge-1', ['refresh', '--wait', 'edge-1'], ['RefreshJob', 's', 'edge-1'],
                              refreshed('edge-1'), Site.forget_attempts),
    'refresh of lab': Case('refresh', 'lab', ['refresh', '--wait', 'lab'], ['RefreshJob', 's', 'lab'],
                           refreshed('lab'), Site.forget_attempts),
    'refresh of all': Case('refresh', '', ['refresh', '--wait'], ['RefreshAll'], all_refreshed, Site.forget_attempts),
    'refresh of registry': Case('refresh', '', ['refresh', '--wait', '--registry=@QUAY@'],
                                ['RefreshRegistry', 's', '@QUAY@'], all_refreshed, Site.forget_attempts),
    'reset-failed of edge-1': Case('refresh', 'edge-1', ['reset-failed', 'edge-1'],
                                   ['ResetFailedJob', 's', 'edge-1'], nothing_changed),
    'test of edge-1': Case('refresh', 'edge-1', ['test', 'edge-1'], ['TestJob', 's', 'edge-1'], tried),
    'identity': Case('refresh', '', ['identity', 'default'], ['ExplainIdentity', 's', 'default'], explained),
    'reload': Case('reload', '', ['reload'], ['Reload'], taken_note,
                   lambda site: site.configure('late', 'acme/late', 'Enabled=no\n')),
    'create': Case('manage-jobs', 'made', ['add', *ADD], ['CreateJob', 'sa{sv}t', 'made', *settings(**MADE), '0'],
                   made(0)),
    'create in run': Case('manage-jobs', 'made', ['add', '--runtime', *ADD],
                          ['CreateJob', 'sa{sv}t', 'made', *settings(**MADE), '1'], made(1)),
    'change': Case('manage-jobs', 'spare', ['set', 'spare', 'OnExpiry=retain'],
                   ['ChangeJob', 'sa{sv}t', 'spare', *settings(OnExpiry='retain'), '0'], changed(0)),
    'change in run': Case('manage-jobs', 'spare', ['set', '--runtime', 'spare', 'OnExpiry=retain'],
                          ['ChangeJob', 'sa{sv}t', 'spare', *settings(OnExpiry='retain'), '1'], changed(1)),
    'enable': Case('manage-jobs', 'spare', ['enable', 'spare'], ['EnableJob', 'st', 'spare', '0'], enabled,
                   Site.forget_attempts),
    'disable': Case('manage-jobs', 'lab', ['disable', 'lab'], ['DisableJob', 'st', 'lab', '0'], disabled),
    'remove': Case('manage-jobs', 'spare', ['remove', 'spare'], ['RemoveJob', 's', 'spare'], removed),
    'credential of lab': Case('read-credential', 'lab', ['credential', 'lab'], ['GetCredential', 's', 'lab'], shown),
    'credential of image': Case('read-credential', 'lab', ['credential', '@QUAY@/acme/lab/app'],
                                ['GetCredentialForImage', 's', '@QUAY@/acme/lab/app'], shown),
    'render': Case('read-credential', '', ['render', 'system'], ['RenderTarget', 's', 'system'], shown),
}


def may(user, case, polkit):
    if user is None:
        return True
    if not polkit or user == VISITOR:
        return False
    if user == MEMBER:
        return case.action in OF_THE_GROUP
    return case.action == 'refresh' and case.job.startswith('edge-')


@pytest.fixture(scope='module')
def site(machine, quay, top):
    made = Site(machine, quay, top)
    try:
        with Polkit(machine).rule('40-operators.rules', made.rule):
            yield made
    finally:
        made.close()


def test_a_polkit_that_was_stopped_is_started_by_the_question(site):
    site.restore()
    site.machine.run('systemctl', 'stop', 'polkit.service')
    assert site.ctl('reload', user=MEMBER).returncode == 0
    assert site.machine.units.state('polkit.service') == 'active'


def test_who_waits_for_a_polkit_that_hangs_keeps_nobody_else_waiting(site):
    site.restore()
    ask = ('pullauthctl', '--no-ask-password', 'reload')
    polkit = Polkit(site.machine)
    with polkit.frozen(), polkit.asked() as wait, site.machine.started(*ask, user=MEMBER) as member, \
            site.machine.started(*ask, user=VISITOR, stderr=subprocess.STDOUT) as visitor:
        assert wait() and wait()
        assert site.ctl('refresh', 'lab').returncode == 0
        assert site.ctl('list', user=VISITOR).returncode == 0
        assert member.poll() is None and visitor.poll() is None
        site.machine.run('systemctl', 'kill', '--signal=CONT', 'polkit.service')
        assert member.wait(30 * slow()) == 0
        assert visitor.wait(30 * slow()) == 1 and b'org.pullauth1.reload' in visitor.stdout.read()


def test_who_leaves_the_group_may_no_more(site):
    """Nothing of an earlier yes is kept."""
    site.restore()
    assert site.ctl('render', 'system', user=MEMBER).returncode == 0
    site.machine.run('gpasswd', '--delete', MEMBER, 'pullauth')
    try:
        assert site.ctl('render', 'system', user=MEMBER).returncode == 1
    finally:
        site.machine.run('gpasswd', '--add', MEMBER, 'pullauth')


def test_what_is_made_on_the_bus_lasts_as_long_as_was_asked_for(site):
    """Through a restart, and what is persistent through a boot; /run is emptied as that would."""
    site.restore()
    for more in ([], ['--runtime']):
        name = 'kept' if not more else 'passing'
        made = site.ctl('add', *more, name, f'Registry={site.quay.quay}', 'Robot=acme+edge', f'Scopes=acme/{name}')
        assert made.returncode == 0, made.stdout
    assert site.ctl('set', 'kept', 'OnExpiry=retain').returncode == 0
    assert site.ctl('disable', '--runtime', 'lab').returncode == 0
    site.machine.run('systemctl', 'restart', DAEMON)
    assert site.product.job('kept')['OnExpiry'] == 'retain'
    assert site.product.states() == {'edge-1': 'fresh', 'kept': 'fresh', 'lab': 'inactive', 'passing': 'fresh',
                                     'spare': 'inactive'}
    site.product.stop()
    shutil.rmtree(site.machine.path('/run/pullauth/jobs'))
    site.machine.run('systemd-tmpfiles', '--create', 'pullauth.conf')
    site.product.start()
    assert site.product.states() == {'edge-1': 'fresh', 'kept': 'fresh', 'lab': 'fresh', 'spare': 'inactive'}
    assert site.product.job('kept')['OnExpiry'] == 'retain'


def test_where_nothing_can_be_written_it_says_what_to_do(site):
    """The directory was not there when the daemon started, so that it is read-only to it also when it is there."""
    site.restore()
    add = ['add', 'made', f'Registry={site.quay.quay}', 'Robot=acme+edge']
    site.product.stop()
    shutil.rmtree(site.machine.path(IN_ETC))
    try:
        site.product.start()
        for reason in ('No such file', 'Read-only'):
            refused = site.ctl(*add)
            assert refused.returncode == 1 and f'{IN_ETC}/made.job: {reason}' in refused.stdout, refused.stdout
            for command in ('systemd-tmpfiles --create pullauth.conf', 'systemctl restart pullauthd.service'):
                assert command in refused.stdout, refused.stdout
            site.machine.run('systemd-tmpfiles', '--create', 'pullauth.conf')
        assert site.product.states() == {}
        site.machine.run('systemctl', 'restart', 'pullauthd.service')
        assert site.ctl(*add).returncode == 0
    finally:
        site.machine.run('systemd-tmpfiles', '--create', 'pullauth.conf')
        site.machine.run('systemctl', 'restart', DAEMON)
        site.restore()


@pytest.fixture(scope='module', params=[True, False], ids=['polkit', 'no polkit'])
def polkit(request, site):
    if request.param:
        yield True
    else:
        with Polkit(site.machine).gone():
            yield False


@pytest.mark.parametrize('tool', ['ctl', 'busctl'])
@pytest.mark.parametrize('user', [None, MEMBER, OPERATOR, VISITOR], ids=lambda user: user or 'root')
@pytest.mark.parametrize('case', CASES.values(), ids=CASES.keys())
def test_who_may_what(site, polkit, user, case, tool):
    site.restore()
    case.before(site)
    before = site.traces()
    words = [word.replace('@QUAY@', site.quay.quay) for word in getattr(case, tool)]
    done = getattr(site, tool)(*words, user=user)
    if may(user, case, polkit):
        assert done.returncode == 0, done.stdout
        case.came(site, before, done.stdout)
        return
    assert done.returncode == 1, done.stdout
    # busctl has words of its own for the error that has nothing to do with a password.
    expected = [f'org.pullauth1.{case.action}', 'Run this as root', 'polkit rule'] if tool == 'ctl' else \
        [f'org.pullauth1.{case.action}' if polkit else 'Access denied']
    assert [text for text in expected if text not in done.stdout] == [], done.stdout
    assert differences(before, site.traces()) == {}
