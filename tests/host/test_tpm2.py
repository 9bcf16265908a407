# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the TPM2 of a host keeps, under the sandbox of the services: credentials that are sealed by it, and the key of
Source=signed. As docs/identities.md says, by the very lines where there is nothing to stand in for."""

import os
import re
import shutil

import pytest
from product import DAEMON, WORKER
from tpm2 import SOCKET, TCTI, MachineTpm

pytestmark = pytest.mark.limit(240)
SEALED = '/etc/credstore.encrypted/quay-token'
DROP_INS = [f'/etc/systemd/system/{DAEMON}.d', f'/etc/systemd/system/{WORKER}.d']
STORE, PIN = '/var/lib/pullauth-tpm2', '/etc/pullauth/tpm2.pin'
SUBJECT = 'edge-1'


def section(top, heading):
    with open(os.path.join(top, 'docs', 'identities.md'), encoding='utf-8') as file:
        return re.split(r'\n##+ ', file.read().partition(f'# {heading}\n')[2])[0]


def block(text, kind):
    return re.search(rf'```{kind}\n(.*?)```', text, re.DOTALL)[1]


@pytest.fixture
def tpm(product, machine, tmp_path):
    made = MachineTpm(machine, str(tmp_path))
    yield made
    made.close()
    machine.run('systemctl', 'stop', DAEMON, WORKER)
    machine.run('rm', '-rf', *DROP_INS, os.path.dirname(SOCKET), os.path.dirname(SEALED), STORE,
                STORE.replace('/lib/', '/lib/private/'))
    machine.run('systemctl', 'daemon-reload')


def seal(product, top, key):
    """The recipe, with that kind of key: by itself systemd-creds takes none of a TPM2 in a container."""
    product.configure()
    text = block(section(top, 'credential: a token of long life'), 'sh')
    changes = {'encrypt ': f'encrypt --with-key={key} ', 'Audience=quay': f'Audience={product.quay.audience}'}
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    product.machine.run('sh', '-euc', text, env={'SYSTEMD_TPM2_DEVICE': TCTI}, text=product.quay.jwt() + '\n')


@pytest.mark.parametrize('key', ['tpm2', 'host'])
def test_a_sealed_token_is_the_identity(product, machine, tpm, top, key):
    tpm.leave_to_machine()
    seal(product, top, key)
    job = product.wait_job(lambda job: job['State'] == 'fresh')
    assert job['IdentitySubject'] == product.quay.subject
    assert b'eyJ' not in machine.read(SEALED)
    product.assert_pulls()


def test_what_another_tpm_sealed_stays_shut(product, machine, tpm, top, tmp_path):
    tpm.leave_to_machine()
    seal(product, top, 'tpm2')
    product.wait_job(lambda job: job['State'] == 'fresh')
    tpm.close()
    (tmp_path / 'other').mkdir()
    other = MachineTpm(machine, str(tmp_path / 'other'))
    try:
        other.leave_to_machine()
        assert machine.run('systemctl', 'restart', DAEMON, check=False).returncode != 0
        machine.units.wait_service(DAEMON, lambda service: service['ExecMainStatus'] == 243)  # EXIT_CREDENTIALS
    finally:
        other.close()


def test_the_worker_signs_with_a_key_in_the_tpm(product, machine, tpm, top, tmp_path):
    text = section(top, 'The key in the TPM2 of this host')
    shell = block(text, 'sh')
    # Its tools are Python programs that are not on the machine: what they do is done from outside.
    made, drop_in = shell.split('install -d /etc/systemd')
    for place in (STORE, PIN):
        os.makedirs(f'{tmp_path}{os.path.dirname(place)}')
    tpm.run('bash', '-euc', 'install() { command install "${@/#pullauth/root}"; }\n'
            + re.sub(r'/(etc|var)/', rf'{tmp_path}/\1/', made))
    tpm.leave_to_machine()
    shutil.copytree(f'{tmp_path}{STORE}', machine.path(STORE))
    shutil.copy(f'{tmp_path}{PIN}', machine.path(PIN))
    machine.run('chgrp', 'pullauth', PIN)
    machine.run('groupadd', '--system', '--force', 'tss')
    machine.run('sh', '-euc', 'install -d /etc/systemd' + drop_in.replace('device:/dev/tpmrm0', TCTI))
    issuer = f'{product.quay.issuer}/hosts/{SUBJECT}'
    product.configure()
    machine.write('/etc/pullauth/identities/default.identity',
                  f'[Identity]\nSource=signed\nIssuer={issuer}\nSubject={SUBJECT}\nAudience={product.quay.audience}\n'
                  + block(text, 'ini'))
    product.quay.robot('acme+edge', federation=[product.quay.federation_entry(issuer=issuer, subject=SUBJECT)])
    product.enable()
    documents = {f'/hosts/{SUBJECT}/{path}': machine.run('pullauthctl', 'identity', 'default', option).stdout
                 for path, option in (('.well-known/openid-configuration', '--discovery'), ('jwks.json', '--jwks'))}
    product.quay.call('issuer', documents=documents)
    job = product.refresh()
    assert (job['State'], job['IdentityIssuer'], job['IdentitySubject']) == ('fresh', issuer, SUBJECT), job['Message']
    product.assert_pulls()
