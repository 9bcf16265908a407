# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what on the bus, and what the objects look like."""

import os
import re
import xml.etree.ElementTree as ElementTree

import pytest
from fakeworker import Later
from polkitd import Polkitd
from rig import ROOT, SLOW, STRANGER_UID, TOP

MANAGER = ('org.pullauth1', '/org/pullauth1', 'org.pullauth1.Manager')
needs_root = pytest.mark.skipif(not ROOT, reason='calls as several users can be made by root alone')


def interfaces(xml):
    """name → sorted lines for each member, so that two texts can be compared as sets."""
    found = {}
    for interface in ElementTree.fromstring(xml).iter('interface'):
        lines = []
        for member in interface:
            parts = [member.tag] + [f'{key}={value}' for key, value in sorted(member.attrib.items())]
            parts += [' '.join(f'{key}={value}' for key, value in sorted(child.attrib.items())) for child in member]
            lines.append(' | '.join(parts))
        found[interface.get('name')] = sorted(lines)
    return found


@pytest.mark.parametrize('name, path', [('Manager', '/org/pullauth1'), ('Job', '/org/pullauth1/job/edge')])
def test_introspection_is_what_the_tree_says(edge, name, path):
    live = interfaces(edge.client.call('org.freedesktop.DBus.Introspectable', 'Introspect', path=path))
    with open(os.path.join(TOP, 'dbus', f'org.pullauth1.{name}.xml'), encoding='utf-8') as golden:
        assert live[f'org.pullauth1.{name}'] == interfaces(golden.read())[f'org.pullauth1.{name}']
    unnamed = re.findall(r'<arg type="[^"]*"(?! name)', str(live[f'org.pullauth1.{name}']))
    assert not unnamed


def test_object_manager_lists_jobs_and_their_properties(edge):
    objects = edge.client.call('org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')
    assert objects['/org/pullauth1/job/edge']['org.pullauth1.Job']['State'] == 'fresh'


def test_names_are_checked_before_anything_else(edge):
    for name in ('', '../x', 'a b', '-x', 'x' * 65, 'é'):
        for method in ('GetJob', 'RefreshJob'):
            assert edge.client.error_of('org.pullauth1.Manager', method, 's', name)[0] == \
                'org.pullauth1.Error.InvalidName'
    for method in ('GetJob', 'RefreshJob'):
        assert edge.client.error_of('org.pullauth1.Manager', method, 's', 'nobody')[0] == \
            'org.pullauth1.Error.NoSuchJob'


@needs_root
def test_a_stranger_may_look(edge):
    assert edge.busctl('call', *MANAGER, 'ListJobs').returncode == 0
    assert edge.busctl('call', *MANAGER, 'GetJob', 's', 'edge').returncode == 0
    assert 'fresh' in edge.busctl('get-property', 'org.pullauth1', '/org/pullauth1/job/edge', 'org.pullauth1.Job',
                                  'State').stdout
    assert 'fresh' in edge.ctl('list').stdout


CHANGING = [('call', *MANAGER, 'RefreshJob', 's', 'edge'), ('call', *MANAGER, 'RefreshAll'),
            ('call', *MANAGER, 'Reload'),
            ('call', 'org.pullauth1', '/org/pullauth1/job/edge', 'org.pullauth1.Job', 'Refresh')]


@needs_root
@pytest.mark.parametrize('command', CHANGING, ids=lambda command: command[4])
def test_a_stranger_may_change_nothing_without_polkit(edge, command):
    """There is no polkit at all, then one that says no, then one that says yes."""
    def refused():
        result = edge.busctl(*command)
        return result.returncode != 0 and ('not authorized' in result.stderr.lower() or
                                           'access denied' in result.stderr.lower())
    planned = edge.client.job('edge', 'NextAttempt')
    assert refused()
    polkit = edge.polkit()
    assert refused()
    other = 'org.pullauth1.refresh' if command[4] == 'Reload' else 'org.pullauth1.reload'
    polkit.allow(other)
    assert refused()
    assert edge.client.job('edge', 'NextAttempt') == planned and len(edge.worker.requests) == 1
    polkit.allow('org.pullauth1.refresh', 'org.pullauth1.reload')
    result = edge.busctl(*command)
    assert result.returncode == 0, result.stderr
    polkit.allow()
    assert refused(), 'a yes belongs to one message'


def stranger(edge, command):
    return edge.popen_as(STRANGER_UID, 'busctl', '--system', f'--timeout={60 * SLOW}', *command)


@needs_root
def test_a_caller_that_leaves_during_the_question_gets_nothing_done(edge):
    polkit = edge.polkitd(lambda action, details: Polkitd.HOLD)
    planned = edge.client.job('edge', 'NextAttempt')
    caller = stranger(edge, CHANGING[0])
    polkit.wait_asked()
    caller.kill()
    caller.wait()
    name = edge.client.wait(lambda: [s[3][0] for s in edge.client.signals if s[2] == 'NameOwnerChanged' and
                                     s[3][0].startswith(':') and s[3][1] and not s[3][2]], 'the end of the caller')
    polkit.release()
    # An attempt that is asked for comes some seconds after the one before, and is planned at once.
    assert name and edge.client.job('edge', 'NextAttempt') == planned
    assert edge.client.job('edge', 'AttemptsStarted') == len(edge.worker.requests) == 1


@needs_root
def test_questions_about_what_is_gone_lock_nobody_out(edge):
    polkit = edge.polkitd(lambda action, details: Polkitd.HOLD)
    callers = [stranger(edge, CHANGING[3]) for _ in range(4)]
    polkit.wait_asked(4)
    os.unlink(edge.path('etc/pullauth/jobs/edge.job'))
    edge.reload()
    polkit.rule = lambda action, details: action == 'org.pullauth1.refresh'
    polkit.release()
    for caller in callers:
        assert 'Unknown object' in caller.communicate(timeout=60 * SLOW)[1]
    result = edge.busctl('call', *MANAGER, 'RefreshAll')
    assert result.returncode == 0, result.stderr


@needs_root
def test_questions_of_one_user_are_limited(edge):
    polkit = edge.polkitd(lambda action, details: Polkitd.HOLD)
    waiting = [stranger(edge, CHANGING[0]) for _ in range(4)]
    polkit.wait_asked(4)
    for _ in range(4):
        assert 'too many' in edge.busctl(*CHANGING[0]).stderr.lower()
    polkit.release()
    for caller in waiting:
        assert caller.communicate(timeout=60 * SLOW)[1] == '' and caller.returncode == 0


def test_changes_are_told_in_few_signals(edge):
    edge.client.signals.clear()
    edge.client.call('org.pullauth1.Manager', 'RefreshAll')
    edge.client.wait_job('edge', AttemptsEnded=2)
    told = edge.client.wait(lambda: [s for s in edge.client.signals if s[2] == 'PropertiesChanged' and
                                     s[0] == '/org/pullauth1/job/edge'], 'news of the job')
    assert len(told) <= 8
    assert all(s[3][0] == 'org.pullauth1.Job' for s in told)


def test_pending_requests_for_one_job_are_one(edge):
    """Also while it is under way, which it is to the last of them."""
    later = Later()
    edge.worker.answer = lambda request: later
    attempts = {edge.client.call('org.pullauth1.Manager', 'RefreshJob', 's', 'edge') for _ in range(20)}
    assert attempts == {2}
    assert later.asked.wait(20 * SLOW)
    assert edge.client.call('org.pullauth1.Manager', 'RefreshJob', 's', 'edge') == 2
    later.send(edge.worker.credential(edge.worker.requests[-1]))
    job = edge.client.wait_job('edge', AttemptsEnded=2)
    assert job['NextAttempt'] > job['LastAttempt'] + 20 * 10**6, 'no other one is still to come for them'
    assert len(edge.worker.requests) == 2
