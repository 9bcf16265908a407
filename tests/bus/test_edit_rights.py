# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may change jobs, what happens while polkit is asked, and disks that do not take it."""

import contextlib
import os

import pytest
from edits import ETC, MANAGER, NEW, RUNTIME, called, create, error, tree, variants
from rig import DAEMON_UID, SLOW, STRANGER_UID
from test_bus import needs_root

@needs_root
def test_a_full_disk_changes_nothing(edge):
    """The files of jobs on a disk of their own that has no block left."""
    place = edge.path(ETC)
    kept = edge.read(f'{ETC}/edge.job')
    mounted = edge.run_as(0, 'mount', '-t', 'tmpfs', '-o', f'size=64k,nr_inodes=99,mode=0755,uid={DAEMON_UID}', 'none',
                          place)
    if mounted.returncode != 0:
        pytest.skip(f'cannot mount a small disk: {mounted.stderr}')
    try:
        edge.write(f'{ETC}/edge.job', kept)
        with open(edge.path(f'{ETC}/fill'), 'wb', buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b'x' * 4096)
        before = {path: text for path, text in tree(edge).items() if not path.endswith('fill')}
        for method, arguments in {'CreateJob': ('sa{sv}t', 'new', variants(NEW), 0),
                                  'ChangeJob': ('sa{sv}t', 'edge', variants({'TakeOver': True}), 0),
                                  'DisableJob': ('st', 'edge', 0)}.items():
            name, text = error(edge, method, *arguments)
            assert name == 'FileFailed' and 'No space left' in text and ETC in text and 'make room' in text
            assert {path: text for path, text in tree(edge).items() if not path.endswith('fill')} == before
        job = edge.client.job('edge')
        assert (job['State'], job['Enabled'], job['TakeOver']) == ('fresh', True, False)
        assert list(edge.client.jobs()) == ['edge']
        create(edge, flags=RUNTIME)
        called(edge, 'RemoveJob', 's', 'edge')
        os.unlink(edge.path(f'{ETC}/fill'))
        create(edge, 'later', Scopes=['acme/later'])
    finally:
        edge.run_as(0, 'umount', '--lazy', place)


def test_a_place_that_cannot_be_written_is_said(edge):
    os.rename(edge.path(ETC), edge.path('etc/pullauth/away'))
    name, text = error(edge, 'CreateJob', 'sa{sv}t', 'new', variants(NEW), 0)
    assert name == 'FileFailed' and ETC in text and 'systemd-tmpfiles' in text
    os.rename(edge.path('etc/pullauth/away'), edge.path(ETC))
    os.chmod(edge.path(ETC), 0o777)
    name, text = error(edge, 'CreateJob', 'sa{sv}t', 'new', variants(NEW), 0)
    assert ETC in text and not os.path.exists(edge.path(f'{ETC}/new.job'))


# --- rights

CALLS = {
    'CreateJob': ['sa{sv}t', 'new', '2', 'Registry', 's', 'prod.example.com', 'Robot', 's', 'acme+new', '0'],
    'ChangeJob': ['sa{sv}t', 'edge', '1', 'TakeOver', 'b', 'true', '0'],
    'EnableJob': ['st', 'edge', '0'],
    'DisableJob': ['st', 'edge', '0'],
    'RemoveJob': ['s', 'edge'],
}


def call(host, method, arguments=None, uid=STRANGER_UID):
    return host.busctl('call', 'org.pullauth1', '/org/pullauth1', MANAGER, method, *(arguments or CALLS[method]),
                       uid=uid)


@needs_root
@pytest.mark.parametrize('method', CALLS)
def test_a_stranger_needs_the_right_to_manage_jobs(edge, method):
    before = tree(edge)
    assert 'Access denied' in call(edge, method).stderr, 'no polkit at all'
    polkit = edge.polkitd()
    assert 'Access denied' in call(edge, method).stderr
    polkit.rule = lambda action, details: action != 'org.pullauth1.manage-jobs'
    assert 'Access denied' in call(edge, method).stderr
    assert tree(edge) == before
    polkit.rule = lambda action, details: None
    assert 'authentication required' in call(edge, method).stderr
    polkit.rule = lambda action, details: action == 'org.pullauth1.manage-jobs'
    result = call(edge, method)
    assert result.returncode == 0, result.stderr
    wanted = {'job': 'new', 'registry': 'prod.example.com'} if method == 'CreateJob' else \
        {'job': 'edge', 'registry': 'quay.example.com'}
    assert set(map(str, polkit.questions)) == {str(('org.pullauth1.manage-jobs', wanted))}
    polkit.rule = lambda action, details: False
    assert 'Access denied' in call(edge, 'RemoveJob').stderr, 'a yes belongs to one message'


@needs_root
def test_wrong_arguments_are_told_without_asking(edge):
    polkit = edge.polkitd()
    assert 'no name' in call(edge, 'RemoveJob', ['s', '../x']).stderr
    assert 'is a URL' in call(edge, 'ChangeJob', ['sa{sv}t', 'edge', '1', 'Registry', 's', 'https://x', '0']).stderr
    assert polkit.questions == []


@needs_root
def test_a_rule_for_one_registry_decides_no_move_to_or_from_it(edge):
    polkit = edge.polkitd(lambda action, details: details['registry'] in ('quay.example.com', 'mine.example.com'))
    move = ['sa{sv}t', 'edge', '1', 'Registry', 's', 'mine.example.com', '0']
    assert 'Access denied' in call(edge, 'ChangeJob', move).stderr
    assert polkit.questions[-1][1] == {'job': 'edge', 'registry': ''}
    stay = ['sa{sv}t', 'edge', '2', 'Registry', 's', 'quay.example.com', 'TakeOver', 'b', 'true', '0']
    assert call(edge, 'ChangeJob', stay).returncode == 0


@needs_root
@pytest.mark.parametrize('method, error_text', [('ChangeJob', 'no job'), ('EnableJob', 'no job'),
                                                ('DisableJob', 'no job'), ('RemoveJob', 'no job')])
def test_a_job_that_goes_while_polkit_is_asked(edge, method, error_text):
    polkit = edge.polkitd(lambda action, details: polkit.HOLD if details['registry'] else True)
    caller = edge.popen_as(STRANGER_UID, 'busctl', '--system', 'call', 'org.pullauth1', '/org/pullauth1', MANAGER,
                           method, *CALLS[method])
    polkit.wait_asked()
    called(edge, 'RemoveJob', 's', 'edge')
    polkit.release()
    assert error_text in caller.communicate(timeout=60 * SLOW)[1].lower()
    assert tree(edge) == {} and edge.client.jobs() == {}
    assert [details['registry'] for _, details in polkit.questions] == ['quay.example.com', '']


@needs_root
def test_a_name_that_is_taken_while_polkit_is_asked(edge):
    polkit = edge.polkitd(lambda action, details: polkit.HOLD)
    caller = edge.popen_as(STRANGER_UID, 'busctl', '--system', 'call', 'org.pullauth1', '/org/pullauth1', MANAGER,
                           'CreateJob', *CALLS['CreateJob'])
    polkit.wait_asked()
    create(edge)
    polkit.release()
    assert 'already' in caller.communicate(timeout=60 * SLOW)[1]
    assert edge.client.job('new', 'Registry') == 'quay.example.com'


@needs_root
def test_a_caller_that_leaves_while_polkit_is_asked_changes_nothing(edge):
    polkit = edge.polkitd(lambda action, details: polkit.HOLD)
    before = tree(edge)
    caller = edge.popen_as(STRANGER_UID, 'busctl', '--system', 'call', 'org.pullauth1', '/org/pullauth1', MANAGER,
                           'RemoveJob', 's', 'edge')
    polkit.wait_asked()
    caller.kill()
    caller.wait()
    polkit.wait_cancelled()
    polkit.release()
    assert edge.client.job('edge', 'State') == 'fresh' and tree(edge) == before
