# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program under test, and each of its runs once a session."""

import functools
import json
import os
import subprocess
import sys

import pytest

from figures import pytest_terminal_summary  # noqa: F401  (prints what was recorded)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

HOSTS = 100000


def simulate(scenario, *options, hosts=HOSTS, seed=1):
    program = os.path.join(os.environ['PULLAUTH_BUILD'], 'tests', 'fleet', 'fleet')
    command = [program, f'--hosts={hosts}', f'--seed={seed}', *options, scenario]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)


@pytest.fixture(scope='session')
def simulated():
    """Runs anew each time."""
    return simulate


@pytest.fixture(scope='session')
def fleet():
    """The same run is made once."""
    return functools.cache(simulate)
