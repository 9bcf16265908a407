# SPDX-License-Identifier: LGPL-2.1-or-later
"""Units that ask for their credential when the daemon cannot have what it needs to serve them."""


import pytest
import units
from rig import Host
from stressrig import Strace

EMPTY = b'{}'
NO_WATCHES = ('-e', 'trace=epoll_ctl', '-e', 'inject=epoll_ctl:error=ENOMEM:when=1')


@pytest.fixture
def up():
    made = Host()
    try:
        made.standard()
        made.job(more='Units=app.service\n')
        yield made.listen_for_units().begin()
    finally:
        made.close()


def test_who_cannot_be_served_is_told_that_there_is_nothing(up):
    """No byte at all would become a file of no bytes, which breaks each pull."""
    # The first call is to be that for the unit.
    up.worker.wait(lambda: not up.worker.is_connected(), 'the end of the connection to the worker')
    trace = Strace(up.daemon.pid, *NO_WATCHES)
    assert units.ask(up) == EMPTY
    trace.end()
    assert 'Cannot serve the credential of a unit' in up.log()
    assert units.users(units.ask(up)) == {'quay.example.com/acme': 'acme+edge'}
