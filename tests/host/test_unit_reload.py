# SPDX-License-Identifier: LGPL-2.1-or-later
"""ReloadUnit= with a real service manager and a real polkit: a unit is told after each rotation where a rule names it,
and nowhere else."""

import json
import os

import pytest
from polkit import Polkit
from product import DAEMON, Product

APP, OTHER, SILENT = 'app.service', 'other.service', 'silent.service'
UNITS = '/etc/systemd/system'
TARGET = '/etc/containers/app.json'
NOT_RELOADED = 'b5b0e6f4c3a24c2e9f7d1a68e0c94d17'
RULE = '45-pullauth-reload.rules'


class Apps:
    """Units that read the target when they start, and some when they are reloaded: each time they write down what.
    That they started stands there before what they read then."""

    def __init__(self, machine):
        self.machine = machine
        self.units = []

    def write(self, unit, reloads=True):
        seen = self.seen_path(unit)
        reload = f"ExecReload=/bin/sh -c 'cat {TARGET} >>{seen}'\n" if reloads else ''
        self.machine.write(f'{UNITS}/{unit}', '[Service]\nType=exec\n'
                           f"ExecStartPre=-/bin/sh -c 'echo started >>{seen}; cat {TARGET} >>{seen}'\n"
                           f'ExecStart=/bin/sleep infinity\n{reload}')
        self.machine.run('systemctl', 'daemon-reload')
        self.units.append(unit)

    @staticmethod
    def seen_path(unit):
        return f'/run/seen-{unit}'

    def seen(self, unit):
        path = self.seen_path(unit)
        return self.machine.read(path).decode() if self.machine.exists(path) else ''

    def clean(self):
        self.machine.run('systemctl', 'stop', DAEMON)  # it would put the target back
        for unit in self.units:
            self.machine.run('systemctl', 'stop', unit, check=False)
            self.machine.remove(f'{UNITS}/{unit}')
            self.machine.remove(self.seen_path(unit))
        self.machine.remove(TARGET)
        self.machine.run('systemctl', 'daemon-reload')


@pytest.fixture
def apps(machine):
    made = Apps(machine)
    try:
        yield made
    finally:
        made.clean()


@pytest.fixture
def rule(top):
    with open(os.path.join(top, 'docs', 'examples', RULE), encoding='utf-8') as file:
        return file.read()


def configure(product: Product, *units):
    product.machine.write('/etc/pullauth/targets/app.target',
                          f'[Target]\nPath={TARGET}\nReloadUnit={" ".join(units)}\n')
    product.up(more='Targets=app\n')


def row(product):
    return next(row for row in product.job()['TargetStates'] if row[0] == 'app')


def wait_seen(machine, apps, unit, secret, n=1):
    machine.wait_file(apps.seen_path(unit), lambda text: text.decode().count(secret) >= n)


def wait_message(product, is_reached):
    product.wait_job(lambda job: any(row[0] == 'app' and is_reached(row[3]) for row in job['TargetStates']))


def encoded(product):
    """What stands in the file for us, and is in no other one."""
    return json.loads(product.machine.read(TARGET))['auths'][product.scope]['auth']


def test_a_unit_is_reloaded_after_a_rotation(product, machine, apps, rule):
    apps.write(APP)
    with Polkit(machine).rule(RULE, rule):
        machine.run('systemctl', 'start', APP)
        configure(product, APP)
        first = encoded(product)
        wait_seen(machine, apps, APP, first)
        product.refresh()
        second = encoded(product)
        assert second != first
        wait_seen(machine, apps, APP, second)
        assert apps.seen(APP).count('started') == 1, 'reloaded, not restarted'
        assert row(product)[2:] == ('published', '')


def test_one_that_cannot_reload_is_restarted_and_one_that_does_not_run_is_left_alone(product, machine, apps, rule):
    apps.write(APP, reloads=False)
    apps.write(SILENT)
    with Polkit(machine).rule(RULE, rule.replace('["app.service"]', '["app.service", "silent.service"]')):
        machine.run('systemctl', 'start', APP)
        configure(product, APP, SILENT)
        wait_seen(machine, apps, APP, encoded(product))
        assert apps.seen(APP).count('started') == 2
        product.refresh()
        wait_seen(machine, apps, APP, encoded(product))
        assert apps.seen(APP).count('started') == 3
        assert machine.units.state(SILENT) == 'inactive' and apps.seen(SILENT) == ''
        assert row(product)[3] == ''


def test_without_the_rule_it_is_refused_and_said(product, machine, apps, rule):
    """And with a rule for another unit alone."""
    apps.write(APP)
    apps.write(OTHER)
    machine.run('systemctl', 'start', APP, OTHER)
    with Polkit(machine).rule(RULE, rule.replace('app.service', 'other.service')):
        configure(product, APP)
        wait_message(product, bool)
        state = row(product)
        assert state[2] == 'published' and 'polkit does not let' in state[3] and 'pullauth.target(5)' in state[3]
        assert product.job()['State'] == 'fresh'
        assert 'polkit does not let' in machine.run('pullauthctl', 'status', 'edge').stdout
        told = machine.journal('-u', DAEMON, f'MESSAGE_ID={NOT_RELOADED}')
        assert told and told[-1]['PULLAUTH_UNIT'] == APP
        assert encoded(product) not in apps.seen(APP)
        assert RULE in machine.run('journalctl', '--catalog', '-n1', f'MESSAGE_ID={NOT_RELOADED}').stdout
    with Polkit(machine).rule(RULE, rule):
        product.refresh()
        wait_seen(machine, apps, APP, encoded(product))
        wait_message(product, lambda message: not message)


def test_the_rule_gives_nothing_else(product, machine, apps, rule):
    """Neither another verb for that unit, nor that one for others, to the daemon or to anybody."""
    apps.write(APP)
    apps.write(OTHER)
    product.up()
    machine.run('systemctl', 'start', APP, OTHER)

    def ask(member, unit, user):
        return machine.run('busctl', 'call', 'org.freedesktop.systemd1', '/org/freedesktop/systemd1',
                           'org.freedesktop.systemd1.Manager', member, 'ss', unit, 'replace', user=user,
                           check=False).returncode == 0

    with Polkit(machine).rule(RULE, rule):
        assert ask('ReloadOrTryRestartUnit', APP, 'pullauth')
        for member in ('StartUnit', 'StopUnit', 'RestartUnit', 'ReloadUnit', 'TryRestartUnit', 'ReloadOrRestartUnit'):
            assert not ask(member, APP, 'pullauth'), member
        assert not ask('ReloadOrTryRestartUnit', OTHER, 'pullauth')
        assert not ask('ReloadOrTryRestartUnit', APP, 'nobody')


def test_the_rule_of_the_manual_is_the_one_that_is_installed(machine, top, rule):
    assert machine.read(f'/usr/share/pullauth/examples/{RULE}').decode() == rule
    with open(os.path.join(top, 'man', 'pullauth.target.5.rst'), encoding='utf-8') as page:
        lines = [line.strip() for line in page]
    wanted = [line.strip() for line in rule[rule.index('polkit.addRule'):].splitlines() if line.strip()]
    assert wanted == [line for line in lines if line in wanted][:len(wanted)]
