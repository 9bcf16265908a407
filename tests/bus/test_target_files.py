# SPDX-License-Identifier: LGPL-2.1-or-later
"""*.target files: targets that come, change and go while the daemon runs and while it does not."""

import hashlib
import json
import os
import struct

import pytest
from edits import refused_change

KEY = 'quay.example.com/acme'
SYSTEM, PODMAN, OTHER = 'etc/containers/auth.json', 'run/containers/0/auth.json', 'etc/ci/auth.json'
FOREIGN = json.dumps({'auths': {'docker.io': {'auth': 'Zm9vOmJhcg=='}}})


def target(host, name='ci', text='Path=/etc/ci/auth.json\n'):
    host.write(f'etc/pullauth/targets/{name}.target', f'[Target]\n{text}')


def state(job, name):
    return [row for row in job['TargetStates'] if row[0] == name][0]


@pytest.fixture
def ci(host):
    """One job that names one target of a file, in which somebody has an entry already."""
    target(host)
    host.write(OTHER, FOREIGN)
    host.identity()
    host.token()
    host.job(more='Targets=ci\n')
    host.start()
    host.client.wait_job('edge', State='fresh')
    return host


def test_a_file_defines_a_target(ci):
    assert sorted(ci.auths(OTHER)) == ['docker.io', KEY]
    assert state(ci.client.job('edge'), 'ci')[1:3] == (ci.path(OTHER), 'published')
    assert ci.auths(SYSTEM) is None and ci.auths(PODMAN) is None, 'nobody named these'


def test_a_new_file_has_the_mode_of_its_target(host):
    target(host, text='Path=/etc/ci/auth.json\nMode=0640\n')
    os.mkdir(host.path('etc/ci'), 0o755)
    os.chown(host.path('etc/ci'), *[os.stat(host.path('etc')).st_uid] * 2)
    host.standard()
    host.job(more='Targets=ci\n')
    host.start()
    host.client.wait_job('edge', State='fresh')
    assert os.stat(host.path(OTHER)).st_mode & 0o7777 == 0o640


@pytest.mark.parametrize('running', [True, False], ids=['reload', 'restart'])
def test_a_target_that_moves_takes_its_entries_along(ci, running):
    ci.write('etc/new/auth.json', '{"auths": {}}')
    target(ci, text='Path=/etc/new/auth.json\n')
    if running:
        ci.reload()
    else:
        ci.restart()
    ci.wait_file('etc/new/auth.json', lambda: list(ci.auths('etc/new/auth.json')) == [KEY])
    ci.wait_file(OTHER, lambda: list(ci.auths(OTHER)) == ['docker.io'])
    assert len(ci.worker.requests) == 1, 'no exchange for that'
    ci.client.wait_job('edge', State='fresh')


@pytest.mark.parametrize('running', [True, False], ids=['reload', 'restart'])
def test_a_target_that_no_job_names_any_more_is_cleaned(ci, running):
    ci.job()
    os.unlink(ci.path('etc/pullauth/targets/ci.target'))
    if running:
        ci.reload()
    else:
        ci.restart()
    ci.wait_file(OTHER, lambda: list(ci.auths(OTHER)) == ['docker.io'])
    ci.wait_file(SYSTEM, lambda: ci.auths(SYSTEM) and list(ci.auths(SYSTEM)) == [KEY])
    assert len(ci.worker.requests) == 1
    assert ci.client.wait_job('edge', State='fresh')['Targets'] == ['system', 'podman']


@pytest.mark.parametrize('running', [True, False], ids=['reload', 'restart'])
def test_what_a_broken_target_has_is_kept_until_it_is_mended(ci, running):
    before = ci.read(OTHER)
    target(ci, text='Path=etc/ci/auth.json\n')
    if running:
        ci.reload()
    else:
        ci.restart()
    job = ci.client.wait_job('edge', Reason='configuration-invalid')
    assert 'ci.target:2' in job['Message'] and ci.read(OTHER) == before
    name, text = ci.client.error_of('org.pullauth1.Manager', 'RenderTarget', 's', 'ci')
    assert name == 'org.pullauth1.Error.TargetFailed' and 'ci.target:2' in text
    target(ci)
    ci.reload()
    ci.client.wait_job('edge', State='fresh', Reason='')
    assert ci.read(OTHER) == before and len(ci.worker.requests) == 1


def test_what_a_job_keeps_in_a_broken_target_goes_with_the_job(ci):
    target(ci, text='Path=etc/ci/auth.json\n')
    ci.reload()
    ci.client.wait_job('edge', Reason='configuration-invalid')
    os.unlink(ci.path('etc/pullauth/jobs/edge.job'))
    ci.reload()
    ci.wait_file(OTHER, lambda: list(ci.auths(OTHER)) == ['docker.io'])


def test_a_masked_target_is_none(edge):
    os.makedirs(edge.path('etc/pullauth/targets'), exist_ok=True)
    os.symlink('/dev/null', edge.path('etc/pullauth/targets/podman.target'))
    edge.job('other', more='Targets=system\nScopes=acme/other\n')
    edge.reload()
    job = edge.client.wait_job('edge', Reason='target-missing')
    assert "'podman'" in job['Message']
    edge.client.wait_job('other', State='fresh')


def test_a_drop_in_changes_a_target(ci):
    ci.write('etc/pullauth/targets/ci.target.d/50-keys.conf', '[Target]\nKeys=registry\n')
    ci.reload()
    ci.wait_file(OTHER, lambda: sorted(ci.auths(OTHER)) == ['docker.io', 'quay.example.com'])
    ci.job('second', more='Targets=ci\nScopes=acme/second\n')
    ci.reload()
    job = ci.client.wait_job('second', Reason='scope-conflict')
    assert "job 'edge'" in job['Message'] and 'take ci out of Targets=' in job['Message']


def fingerprint(state, auth):
    """SHA-256 of parts with their lengths in front: what every version has to find again what another wrote."""
    parts = b'pullauth-entry', bytes.fromhex(state['salt']), auth.encode()
    return hashlib.sha256(b''.join(struct.pack('>Q', len(part)) + part for part in parts)).hexdigest()


def test_a_state_of_an_earlier_version_is_understood(edge):
    """It named targets, where files are named today."""
    edge.stop()
    path = 'var/lib/pullauth/state.json'
    state = json.loads(edge.read(path))
    entry = state['files'][f'/{SYSTEM}']['keys'][KEY]
    assert entry['current'] == fingerprint(state, edge.auths(SYSTEM)[KEY]['auth'])
    targets = {path: file['keys'] for path, file in state.pop('files').items()}
    for name, file in (('system', SYSTEM), ('podman', PODMAN)):
        targets[name] = targets.pop(f'/{file}')
    edge.write(path, json.dumps({**state, 'version': 1, 'targets': targets}), 0o600)
    os.unlink(edge.path('etc/pullauth/jobs/edge.job'))
    edge.start()
    edge.wait_file(SYSTEM, lambda: edge.auths(SYSTEM) == {})
    edge.wait_file(PODMAN, lambda: edge.auths(PODMAN) == {})


@pytest.mark.parametrize('name, path', [
    ('crio', 'etc/crio/pullauth.json'), ('microshift', 'etc/crio/openshift-pull-secret'),
    ('kubelet', 'var/lib/kubelet/config.json'), ('image-builder', 'etc/osbuild-worker/pullauth.json'),
])
def test_each_tool_has_its_target(host, name, path):
    """Of a tool that is not installed the directory is missing, and made by nobody; the rest of the job works."""
    host.standard()
    host.job(more=f'Targets=system {name}\n')
    host.start()
    job = host.client.wait_job('edge', Reason='target-unwritable')
    assert state(job, 'system')[2] == 'published' and os.path.dirname(path) in state(job, name)[3]
    assert not os.path.exists(host.path(os.path.dirname(path)))
    assert 'install' in job['Hint'] and 'pullauthd.service' in job['Hint']
    host.write(path, FOREIGN)
    # Be it that ours was there before theirs took its place: the directory comes before the file.
    host.wait_file(path, lambda: sorted(host.auths(path)) == ['docker.io', KEY], 90)
    host.client.wait_job('edge', State='fresh')


@pytest.mark.parametrize('name, shown', [('a\ufffeb', 'a\ufffdb'), ('a\tb', 'a b')], ids=['no character', 'tab'])
def test_odd_paths_are_shown_and_remembered(ci, name, shown):
    """The bus takes text alone, and one job that it does not take would hide all of them."""
    target(ci, text=f'Path=/etc/ci/{name}.json\n')
    path = f'etc/ci/{name}.json'
    ci.write(path, '{"auths": {"odd\ufffe": {"auth": "Zm9vOmJhcg=="}}}')
    ci.reload()
    ci.wait_file(path, lambda: KEY in ci.auths(path))
    job = ci.client.wait_job('edge', State='fresh')
    assert os.path.basename(state(job, 'ci')[1]) == f'{shown}.json' and list(ci.client.jobs()) == ['edge']
    assert 'odd\ufffd' in ci.client.call('org.pullauth1.Manager', 'RenderTarget', 's', 'ci')
    ci.restart()
    assert 'State file' not in ci.log() and 'state file' not in ci.log()
    assert len(ci.worker.requests) == 1
    os.unlink(ci.path('etc/pullauth/jobs/edge.job'))
    ci.reload()
    ci.wait_file(path, lambda: list(ci.auths(path)) == ['odd\ufffe'])


def test_callers_may_not_name_a_home(edge):
    name, text = refused_change(edge, Targets=['system', 'user:daemon'])
    assert name == 'NoSuchTarget' and 'file below /etc/pullauth/jobs' in text
