# SPDX-License-Identifier: LGPL-2.1-or-later
"""All who pull on one host, each what it may and nothing else, before and after the credentials are replaced."""

import pytest
from consumers import Site
from limits import slow

LIFETIME, LEEWAY = 600, 30  # of the first credentials, and of Quay after their end


@pytest.fixture
def site(product, hello):
    made = Site(product, hello)
    try:
        yield made
    finally:
        made.down()


def replace_credentials(site, reader):
    """While somebody pulls who has read the old one. Afterwards the old ones are of no use any more."""
    product, quay = site.product, site.quay
    old = product.entry('/etc/containers/auth.json')
    quay.set_lifetime(7200)
    quay.call('forget')
    held = quay.misbehave('delay', path='/v2/auth', count=1, hold=True, seconds=0)
    with site.machine.started('skopeo', 'copy', f'docker://{quay.image}', 'dir:/run/copied') as copying:
        quay.requests('/v2/auth', at_least=1)
        wait_replaced = reader.expecting()
        for job in ('edge', 'other'):
            product.refresh(job)
        wait_replaced()
        quay.let_go(held)
        assert copying.wait(60 * slow()) == 0, 'a pull that had begun did not come to its end'
    quay.set_clock(LIFETIME + LEEWAY + 1)
    refused = quay.request(f'/v2/auth?service={quay.quay}&scope=repository:acme/app:pull', user=old.user,
                           password=old.secret)
    assert refused.status != 200


@pytest.mark.limit(300)
def test_each_pulls_what_it_may_and_nothing_else_across_a_rotation(site, say):
    site.quay.set_lifetime(LIFETIME)
    site.up()
    with site.reader() as reader:
        complaints = site.complaints()
        replace_credentials(site, reader)
        complaints += site.complaints()
    assert not complaints, '\n'.join(complaints)
    assert reader.troubles == []
    say(f'{reader.readings} readings of {len(reader.files)} files across a rotation, none failed')
