# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source=signed with a key in a TPM2 (swtpm), set up as docs/identities.md says."""

import json
import os
import re

import pytest
from cryptography.hazmat.primitives import serialization
from test_identity_signed import HostKey, key, signed, site  # noqa: F401
from tpm import Tpm
from workers import Worker

pytestmark = pytest.mark.limit(300)
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# There is neither a service manager here nor our group.
STAND_INS = 'systemctl() { :; }\ninstall() { command install "${@/#pullauth/root}"; }\n'


def recipe(heading):
    """The first shell lines below a heading, and the lines of the identity as a dictionary."""
    with open(os.path.join(TOP, 'docs', 'identities.md'), encoding='utf-8') as file:
        section = re.split(r'\n##+ ', file.read().partition(f'\n### {heading}\n')[2])[0]
    shell, settings = (re.search(rf'```{kind}\n(.*?)```', section, re.DOTALL)[1] for kind in ('sh', 'ini'))
    return shell, dict(line.split('=', 1) for line in settings.splitlines())


class Token:
    """What the recipe made below a directory: the settings of the identity and the public half of the key."""

    def __init__(self, tpm, directory):
        shell, settings = recipe('The key in the TPM2 of this host')
        for place in ('etc/pullauth', 'etc/systemd/system', 'var/lib'):
            os.makedirs(os.path.join(directory, place))
        tpm.run('bash', '-euc', STAND_INS + re.sub(r'/(etc|var)/', rf'{directory}/\1/', shell))
        self.uri = settings['KeyURI']
        with open(directory + settings['PINFile'], encoding='ascii') as file:
            self.pin = file.read().strip()
        self.environment = {**tpm.environment, 'TPM2_PKCS11_STORE': f'{directory}/var/lib/pullauth-tpm2'}
        shown = tpm.run('p11tool', '--export-pubkey', self.uri, env={**self.environment, 'GNUTLS_PIN': self.pin})
        self.public = serialization.load_pem_public_key(shown[shown.index('-----BEGIN'):].encode())

    def public_key(self):
        return self.public


@pytest.fixture(scope='module')
def tpm(tmp_path_factory):
    made = Tpm(str(tmp_path_factory.mktemp('tpm')))
    yield made
    made.close()


@pytest.fixture(scope='module')
def token(tpm, tmp_path_factory):
    return Token(tpm, str(tmp_path_factory.mktemp('host')))


@pytest.fixture
def running(rig, token, tmp_path):
    with Worker(str(tmp_path), rig, env=token.environment) as made:
        yield made


def by_token(site, token, pin=None, **settings):
    return signed(site, {'PINFile': pin or token.pin}, **{'KeyURI': token.uri, **settings})


def test_the_tpm_signs_and_quay_takes_it(site, token, running):
    jwk = HostKey(token).jwk()
    site(jwk)
    answer = running.obtain(**by_token(site, token))
    assert (answer['claims']['issuer'], answer['claims']['key_id']) == (site.issuer, jwk['kid'])


def test_jobs_that_are_due_together_use_the_tpm_one_after_the_other(site, token, running):
    """Who closes a session in tpm2-pkcs11 logs out the others of the process."""
    site(HostKey(token).jwk())
    running.obtain(**by_token(site, token))
    requests = [running.request(id=number, **by_token(site, token, Algorithm='RS384')) for number in range(1, 13)]
    answers = running.question(*requests).answers()
    failures = [answer.get('failure', answer.get('error')) for answer in answers if 'credential' not in answer]
    assert len(answers) == 12 and not failures, failures


def test_a_wrong_pin_is_tried_once_and_told_nobody(site, token, running):
    site(HostKey(token).jwk())
    failure = running.fail(**by_token(site, token, pin='0000'))
    assert failure['reason'] == 'identity-source-failed' and 'PINFile=' in failure['hint']
    assert '0000' not in json.dumps(failure) and token.pin not in json.dumps(failure) + running.said()
    running.obtain(**by_token(site, token))


def test_a_key_that_is_not_there_and_a_tpm_that_is_not_there(rig, site, token, running, tmp_path):
    failure = running.fail(**by_token(site, token, KeyURI=token.uri.replace('host', 'other')))
    assert 'cannot be opened' in failure['message'] and 'pullauth.identity(5)' in failure['hint']
    os.mkdir(tmp_path / 'lonely')
    lonely = {**token.environment, 'TPM2_PKCS11_TCTI': 'device:/nonexistent'}
    with Worker(str(tmp_path / 'lonely'), rig, env=lonely) as made:
        failure = made.fail(**by_token(site, token))
        assert 'cannot be opened' in failure['message'] and 'pullauth.identity(5)' in failure['hint']


def test_a_file_with_a_key_of_the_tpm_is_read_or_refused_with_the_way_out(site, tpm, token, running, tmp_path):
    """Whether GnuTLS can is known where it was built: the RHEL family's can, Debian's cannot."""
    tpm.run('bash', '-euc', '''
        attributes='fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda'
        tpm2_createprimary -Q -C o -G ecc -a "$attributes|restricted|decrypt" -c primary
        tpm2_create -Q -C primary -G rsa2048:null:null -a "$attributes|sign|decrypt" \\
                -p key-pin -u public -r private -f pem -o host.pub
        tpm2_encodeobject -p -C 0x40000001 -u public -r private -o host.key
        ''', cwd=tmp_path)
    with open(tmp_path / 'host.pub', 'rb') as file:
        public = serialization.load_pem_public_key(file.read())
    site(HostKey(type('Public', (), {'public_key': lambda _: public})()).jwk())
    key_file = (tmp_path / 'host.key').read_text()
    answer = running.ask(**signed(site, {'KeyFile': key_file, 'PINFile': 'key-pin'}))
    assert 'key-pin' not in json.dumps(answer)
    if 'failure' not in answer:
        assert 'does not sign' in running.fail(**signed(site, {'KeyFile': key_file, 'PINFile': 'other'}))['message']
    else:
        assert answer['failure']['reason'] == 'identity-source-failed'
        assert 'does not read this file of a key in a TPM2' in answer['failure']['message']
        assert 'KeyURI=' in answer['failure']['message']
