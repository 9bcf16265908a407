# SPDX-License-Identifier: LGPL-2.1-or-later
"""The simulated Quay of tests/quay takes what the sources of identities give."""

import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'quay'))
from rigs import fresh, rig  # noqa: E402, F401


def pytest_configure(config):
    """Short reports: long ones print arguments, and there are tokens among them."""
    if config.option.tbstyle == 'auto':
        config.option.tbstyle = 'short'
