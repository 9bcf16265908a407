# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauthctl against the daemon as it is, as root, who is never asked for rights, and as somebody who is."""

import json

import pytest
from rig import ROOT

pytestmark = pytest.mark.skipif(not ROOT, reason='only root can be several users')


def test_waiting_ends_when_the_credential_is_there(host):
    host.standard().start()
    ran = host.ctl('wait', 'edge', '--json')
    assert (ran.returncode, json.loads(ran.stdout)) == (0, [{'name': 'edge', 'state': 'fresh', 'reason': ''}])


def test_waiting_ends_where_nothing_can_come(host):
    host.standard()
    host.job('lost', more='Identity=none\n')
    host.start()
    ran = host.ctl('wait', 'lost')
    assert ran.returncode == 3
    assert ran.stdout == "● lost: failed (identity-missing), see 'pullauthctl status lost'\n"


def test_a_disabled_job_is_shown_as_one(host):
    host.standard()
    host.job('off', more='Enabled=no\nOnExpiry=retain\n')
    host.start()
    host.client.wait_job('edge', State='fresh')
    ran = host.ctl('list')
    assert ran.returncode == 0 and [line.split()[3] for line in ran.stdout.splitlines()[1:3]] == ['fresh', 'disabled']
    shown = host.ctl('status', 'off').stdout
    assert "State: disabled, 'pullauthctl enable off' lets it work\n" in shown
    assert ' Settings: OnExpiry=retain\n' in shown


def test_a_registry_is_refreshed_and_failures_are_forgotten(edge):
    ran = edge.ctl('refresh', '--registry=quay.example.com', uid=0)
    assert (ran.returncode, ran.stderr) == (0, '') and ran.stdout.startswith('edge: attempt ')
    assert edge.ctl('reset-failed', uid=0).returncode == 0
    assert edge.ctl('reset-failed', 'edge', uid=0).stdout == 'edge: failures forgotten\n'


def test_who_may_not_is_told_what_polkit_wants(edge):
    edge.polkit()
    ran = edge.ctl('reset-failed', 'edge')
    assert ran.returncode == 1 and 'polkit did not grant org.pullauth1.refresh' in ran.stderr
