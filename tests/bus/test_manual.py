# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the manuals show as an example works as they say (manual_rig.py)."""

import os
import re

import pytest
from activate import Activated
from fakeworker import failure
from manual_rig import MAN, Manual, all_examples
from rig import DAEMON_UID, ROOT, STRANGER_UID, WRAPPER, program

EXAMPLES = all_examples()


def trouble(manual):
    """One job that is well, one whose robot account trusts nobody any more, one with a mistake in its file."""
    host = manual.host
    host.standard()
    host.job('lab', more='Scopes=acme/lab\nTargets=system\n')
    host.write('etc/pullauth/jobs/stage.job', '[Job]\nRegistry=quay.example.com\nRobot=acme\n')
    host.start()
    host.client.wait_job('lab', State='fresh')
    host.worker.answer = lambda request: failure(
        'federation-not-configured', HTTPStatus=400, Message='The registry trusts no issuer for robot acme+lab',
        Words='Robot does not have federated login configured', Issuer='https://oidc.example.com', Subject='edge-1',
        Audience=['quay'])
    host.client.call('org.pullauth1.Manager', 'RefreshJob', 's', 'lab')
    host.client.wait_job('lab', State='retrying')
    host.worker.answer = manual.credential


def one_job(manual):
    manual.host.standard()


def podman(manual):
    one_job(manual)
    manual.host.write('usr/bin/podman', '')


SCENES = {('org.pullauth1.5', 'calls'): one_job, ('pullauthctl.1', 'trouble'): trouble,
          ('pullauthctl.1', 'which'): podman}


@pytest.fixture
def manual():
    made = Manual()
    try:
        yield made
    finally:
        made.close()


def test_each_page_has_an_example_that_is_tried():
    pages = {name[:-len('.rst')] for name in os.listdir(MAN) if name.endswith('.rst')}
    assert pages - {page for page, _ in EXAMPLES} == set()


def test_the_drop_in_of_the_worker_starts_it(manual):
    host = manual.host
    host.worker.stop()
    started = re.findall(r'^ExecStart=(\S.*)$', EXAMPLES['pullauth-worker.8', 'idle'][0].text, re.MULTILINE)
    arguments = started[0].replace('@LIBEXECDIR@/pullauth-worker', program(host.directory, 'pullauth-worker')).split()
    host.identity()
    host.token()
    host.job(registry='localhost:1')
    worker = Activated(host.path('run/pullauth/worker.sock'), [*WRAPPER, *arguments], env=host.environment(),
                       socket_user=DAEMON_UID if ROOT else None, user=STRANGER_UID if ROOT else None)
    try:
        host.start()
        host.client.wait_job('edge', Reason=lambda reason: reason not in ('', 'worker-unavailable'))
    finally:
        worker.close()


@pytest.mark.parametrize('page, name', EXAMPLES, ids=[f'{page}-{name}' for page, name in EXAMPLES])
def test_the_example_works(manual, page, name):
    """Files that stand before the first session are there when the daemon starts, unless the session starts it."""
    blocks = EXAMPLES[page, name]
    SCENES.get((page, name), lambda _: None)(manual)
    starts_itself = any('systemctl enable' in block.text for block in blocks if block.kind == 'run')
    names = {block.argument for block in blocks if block.kind == 'file'}
    if not (starts_itself or manual.host.daemon or any(name.endswith('.identity') for name in names)):
        manual.host.identity()
        manual.host.token()
    for block in blocks:
        if block.kind == 'file':
            manual.write(block)
            continue
        if not starts_itself and not manual.host.daemon:
            manual.host.start()
        manual.type(block)
    if not manual.host.daemon:
        manual.host.start()
    assert manual.complaints() == []
    for path in names:
        if path.startswith('/etc/pullauth/jobs/') and path.endswith('.job'):
            manual.host.client.wait_job(os.path.basename(path)[:-len('.job')], State='fresh')
