# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all tests here share: short reports, and the simulated Quay."""

from rigs import fresh, registry_rig, rig  # noqa: F401


def pytest_configure(config):
    """Short reports: long ones print arguments, and there are tokens among them."""
    if config.option.tbstyle == 'auto':
        config.option.tbstyle = 'short'
