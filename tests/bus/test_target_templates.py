# SPDX-License-Identifier: LGPL-2.1-or-later
"""Targets in the form of a template: what is written, kept, refused and removed, and the templates there are, read by
those who read such files."""

import base64
import json
import netrc
import os
import subprocess
import tomllib

import pytest
import yaml
from fakeworker import failure
from rig import SLOW, TOP

FILE = 'etc/ci/credential'
SHIPPED = os.path.join(TOP, 'templates')


def target(host, template, more='', path=FILE):
    host.write('etc/pullauth/targets/ci.target', f'[Target]\nPath=/{path}\nTemplate={template}\n{more}')


def own(host, text, name='own.env'):
    """A template of the administrator's."""
    host.write(f'etc/pullauth/templates/{name}', text)


@pytest.fixture
def ci(ci):
    for name in os.listdir(SHIPPED):
        with open(os.path.join(SHIPPED, name), encoding='utf-8') as file:
            ci.write(f'usr/lib/pullauth/templates/{name}', file.read())
    ci.job(more='Targets=ci\nScopes=acme/a acme/b\n')
    return ci


def only_once(host):
    """The registry gives one credential, and after that it is not reached: one that lives for seconds may be due for a
    refresh at any moment. Returns when the first attempt is over, and the file written."""
    host.worker.answer = lambda request: (
        failure('connection-failed') if host.worker.tokens else host.worker.credential(request))
    return host.start()


def user_and_secret(host):
    fragment = json.loads(host.read('run/pullauth/fragments/edge.json'))['auths']
    return base64.b64decode(fragment['quay.example.com/acme/a']['auth']).decode().split(':', 1)


def expires(host):
    return host.client.job('edge')['Expires'] // 1000000


def test_an_auth_json(ci):
    target(ci, 'auth.json')
    user, password = user_and_secret(ci.begin())
    entry = {'auth': base64.b64encode(f'{user}:{password}'.encode()).decode()}
    assert json.loads(ci.read(FILE)) == {'auths': {f'quay.example.com/acme/{path}': entry for path in 'ab'}}
    assert os.stat(ci.path(FILE)).st_mode & 0o7777 == 0o600


def test_a_configuration_of_docker(ci):
    target(ci, 'docker-config.json')
    user, password = user_and_secret(ci.begin())
    entry = {'auth': base64.b64encode(f'{user}:{password}'.encode()).decode()}
    assert json.loads(ci.read(FILE)) == {'auths': {'quay.example.com': entry}}


def test_a_secret_of_kubernetes(ci):
    target(ci, 'secret.yaml', 'Variable=namespace=edge\n')
    user, password = user_and_secret(ci.begin())
    manifest = yaml.safe_load(ci.read(FILE))
    inner = json.loads(base64.b64decode(manifest.pop('data')['.dockerconfigjson']))
    assert manifest == {'apiVersion': 'v1', 'kind': 'Secret', 'type': 'kubernetes.io/dockerconfigjson',
                        'metadata': {'name': 'pullauth', 'namespace': 'edge',
                                     'labels': {'app.kubernetes.io/managed-by': 'pullauthd'},
                                     'annotations': {'tekton.dev/docker-0': 'https://quay.example.com'}}}
    assert sorted(inner['auths']) == ['quay.example.com/acme/a', 'quay.example.com/acme/b']
    assert base64.b64decode(inner['auths']['quay.example.com/acme/b']['auth']).decode() == f'{user}:{password}'


def test_a_hosts_file_of_containerd(ci):
    target(ci, 'hosts.toml')
    user, password = user_and_secret(ci.begin())
    table = tomllib.loads(ci.read(FILE).decode())
    host = table['host']['https://quay.example.com']
    assert table['server'] == 'https://quay.example.com'
    assert host['header'] == {'Authorization': 'Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode()}


def test_an_environment_file(ci):
    target(ci, 'credential.env')
    user, password = user_and_secret(ci.begin())
    script = '. "$1"; printf "%s\\n" "$REGISTRY" "$REGISTRY_USERNAME" "$REGISTRY_PASSWORD" "$REGISTRY_PASSWORD_EXPIRES"'
    read = subprocess.run(['sh', '-c', script, 'sh', ci.path(FILE)], check=True, stdout=subprocess.PIPE, text=True)
    assert read.stdout.split() == ['quay.example.com', user, password, str(expires(ci))]


def read_by_systemd(directory, text):
    """What systemd makes of an environment file: its tools read os-release(5) as the service manager reads others."""
    (directory / 'usr/lib').mkdir(parents=True)
    (directory / 'usr/lib/os-release').write_bytes(text)
    conf = directory / 'values.conf'
    conf.write_text('f /values 0600 - - - %B\\n%w\\n%W\\n')
    subprocess.run(['systemd-tmpfiles', f'--root={directory}', '--create', conf], check=True)
    return (directory / 'values').read_text(encoding='utf-8').splitlines()


@pytest.mark.parametrize('value', ["it's a \"q\" \\ $HOME `id` ü #;", "'", "'a'", '-n', '~', 'plain', 'a=b'])
def test_shells_and_systemd_read_the_same_in_an_environment_file(ci, tmp_path, value):
    own(ci, 'BUILD_ID=x%{v}\nVERSION_ID=\'%{v}\'\nVARIANT_ID="%{v}"\n')
    target(ci, 'own.env', f'Variable=v={value}\n')
    text = ci.begin().read(FILE)
    script = '. "$1"; printf "%s\\n" "$BUILD_ID" "$VERSION_ID" "$VARIANT_ID"'
    by_shell = subprocess.run(['sh', '-c', script, 'sh', ci.path(FILE)], check=True, stdout=subprocess.PIPE, text=True)
    assert by_shell.stdout.splitlines() == ['x' + value, value, value]
    assert read_by_systemd(tmp_path / 'root', text) == ['x' + value, value, value]


def test_a_netrc(ci):
    target(ci, 'netrc')
    ci.job(registry='quay.example.com:8443', more='Targets=ci\n')
    ci.start()
    ci.client.wait_job('edge', State='fresh')
    login, _, password = netrc.netrc(ci.path(FILE)).hosts['quay.example.com']
    assert login == 'acme+edge' and password.count('.') == 2


@pytest.mark.parametrize('template', sorted(set(os.listdir(SHIPPED)) - {'meson.build'}))
def test_a_job_is_tested_with_the_template_of_its_target(ci, template):
    """With a credential that is made up: what that would not fit into is told, and all of these it fits into."""
    target(ci, template)
    ci.begin()
    ci.worker.answer = lambda request: {'Well': True, 'Trace': []}
    steps, trouble = ci.client.call('org.pullauth1.Manager', 'TestJob', 's', 'edge')
    assert steps[-1][:2] == ('publication', 'ok') and trouble == {}, trouble


def test_a_file_follows_its_credential(ci):
    target(ci, 'credential.env')
    ci.begin()
    before, old = ci.read(FILE), user_and_secret(ci)[1]
    ci.client.call('org.pullauth1.Manager', 'RefreshJob', 's', 'edge')
    ci.wait_file(FILE, lambda: ci.read(FILE) != before)
    new = user_and_secret(ci)[1]
    assert new != old and new in ci.read(FILE).decode()


@pytest.mark.parametrize('template', ['credential.env', 'secret.yaml', 'auth.json'])
def test_without_a_registry_after_a_reboot_a_file_stays_to_the_end_of_what_is_in_it(ci, template):
    """What a template made cannot be read back."""
    ci.worker.lifetime = 12 * SLOW
    target(ci, template)
    before = only_once(ci).read(FILE)
    ci.stop()
    ci.reboot()
    ci.start()
    ci.client.wait_job('edge', Reason='connection-failed', AttemptsEnded=lambda n: n > 0)
    assert ci.read(FILE) == before
    ci.restart()
    assert ci.read(FILE) == before
    assert [row[2] for row in ci.client.job('edge')['TargetStates']] == ['published']
    ci.client.wait_job('edge', TargetStates=lambda rows: rows[0][2] == 'withdrawn', timeout=60)
    assert not os.path.exists(ci.path(FILE)) or ci.read(FILE) != before


def test_what_ended_before_a_reboot_is_kept_on_demand_alone(ci):
    ci.worker.lifetime = 3
    ci.job(more='Targets=ci\nOnExpiry=retain\n')
    target(ci, 'credential.env')
    before = only_once(ci).read(FILE)
    ci.client.wait_job('edge', State='expired', timeout=30)
    ci.stop()
    ci.reboot()
    ci.start()
    ci.client.wait_job('edge', Reason='connection-failed', AttemptsEnded=lambda n: n > 0)
    assert ci.read(FILE) == before
    ci.job(more='Targets=ci\n')
    ci.reload()
    ci.wait_file(FILE, lambda: not os.path.exists(ci.path(FILE)))


def boot_without_registry(ci, reboot=True):
    ci.worker.answer = lambda request: failure('connection-failed')
    ci.stop()
    if reboot:
        ci.reboot()
    ci.start()
    ci.client.wait_job('edge', Reason='connection-failed', AttemptsEnded=lambda n: n > 0)


def test_what_a_boot_left_goes_with_the_first_of_its_jobs(ci):
    """Of several credentials in a file that cannot be read back none can be taken out alone."""
    own(ci, '%[\nKEY="%k"\n%]\n')
    target(ci, 'own.env')
    ci.job('lab', robot='lab+ci', more='Targets=ci\n')
    ci.begin().client.wait_job('lab', State='fresh')
    ci.wait_file(FILE, lambda: b'/lab"' in ci.read(FILE) and b'/acme/a"' in ci.read(FILE))
    before = ci.read(FILE)
    boot_without_registry(ci)
    assert ci.read(FILE) == before
    os.unlink(ci.path('etc/pullauth/jobs/lab.job'))
    ci.reload()
    ci.wait_file(FILE, lambda: not os.path.exists(ci.path(FILE)) or b'/lab"' not in ci.read(FILE))


def test_a_broken_configuration_takes_nothing_of_what_a_boot_left(ci):
    target(ci, 'credential.env')
    before = ci.begin().read(FILE)
    boot_without_registry(ci)
    for robot, reason in (('No Robot', 'configuration-invalid'), ('acme+edge', 'connection-failed')):
        ci.job(robot=robot, more='Targets=ci\nScopes=acme/a acme/b\n')
        ci.reload()
        ci.client.wait_job('edge', Reason=reason)
        assert ci.read(FILE) == before and [row[2] for row in ci.client.job('edge')['TargetStates']] == ['published']


def test_what_is_left_of_another_robot_goes(ci):
    target(ci, 'credential.env')
    ci.begin()
    ci.job(robot='acme+other', more='Targets=ci\nScopes=acme/a acme/b\n')
    boot_without_registry(ci, reboot=False)
    ci.wait_file(FILE, lambda: not os.path.exists(ci.path(FILE)))


def test_a_new_credential_takes_the_place_of_what_a_boot_left(ci):
    target(ci, 'credential.env')
    before = ci.begin().read(FILE)
    ci.stop()
    ci.reboot()
    ci.start()
    ci.client.wait_job('edge', State='fresh', Refreshes=1)
    assert ci.read(FILE) != before and user_and_secret(ci)[1] in ci.read(FILE).decode()


def test_what_another_one_did_to_it_is_mended(ci):
    target(ci, 'credential.env')
    before = ci.begin().read(FILE)
    ci.write(FILE, 'REGISTRY=elsewhere\n')
    ci.wait_file(FILE, lambda: ci.read(FILE) == before)


def test_a_file_that_says_nothing_without_a_credential_goes_with_it(ci):
    target(ci, 'credential.env')
    ci.begin()
    ci.job(more='Targets=ci\nEnabled=no\n')
    ci.reload()
    ci.wait_file(FILE, lambda: not os.path.exists(ci.path(FILE)))
    ci.job(more='Targets=ci\n')
    ci.reload()
    ci.client.wait_job('edge', State='fresh')
    assert os.path.exists(ci.path(FILE))


def test_a_file_that_says_something_without_a_credential_stays(ci):
    target(ci, 'secret.yaml')
    ci.begin()
    ci.job(more='Targets=ci\nEnabled=no\n')
    ci.reload()

    def is_empty():
        data = yaml.safe_load(ci.read(FILE))['data']
        return json.loads(base64.b64decode(data['.dockerconfigjson'])) == {'auths': {}}

    ci.wait_file(FILE, is_empty)
    ci.restart()
    ci.job(more='Targets=ci\n')
    ci.reload()
    ci.client.wait_job('edge', State='fresh')
    assert not is_empty()


@pytest.mark.parametrize('running', [True, False], ids=['reload', 'restart'])
def test_a_file_goes_with_its_target(ci, running):
    target(ci, 'secret.yaml')
    ci.begin()
    ci.job(more='Targets=system\n')
    os.unlink(ci.path('etc/pullauth/targets/ci.target'))
    if running:
        ci.reload()
    else:
        ci.restart()
    ci.wait_file(FILE, lambda: not os.path.exists(ci.path(FILE)))
    ci.client.wait_job('edge', State='fresh')


def test_a_target_that_has_no_template_any_more_is_an_auth_json(ci):
    target(ci, 'credential.env')
    ci.begin()
    ci.write('etc/pullauth/targets/ci.target', f'[Target]\nPath=/{FILE}\n')
    ci.reload()
    ci.wait_file(FILE, lambda: ci.read(FILE).startswith(b'{'))
    assert sorted(ci.auths(FILE)) == ['quay.example.com/acme/a', 'quay.example.com/acme/b']
    ci.client.wait_job('edge', State='fresh')


def test_what_a_template_left_ends_as_an_empty_object(ci):
    """The template goes while there is no credential."""
    target(ci, 'credential.env')
    ci.begin()
    ci.write('etc/pullauth/targets/ci.target', f'[Target]\nPath=/{FILE}\n')
    ci.job(more='Targets=ci\nEnabled=no\n')
    ci.reload()
    ci.wait_file(FILE, lambda: ci.read(FILE) == b'{}')


def test_what_somebody_else_made_is_not_replaced(ci):
    ci.write(FILE, 'HANDS=off\n')
    target(ci, 'credential.env')
    ci.start()
    job = ci.client.wait_job('edge', Reason='target-conflict')
    assert FILE in job['Message'] and 'Remove that file' in job['Hint']
    assert ci.read(FILE) == b'HANDS=off\n'
    os.unlink(ci.path(FILE))
    ci.client.wait_job('edge', State='fresh')


def test_a_template_with_a_mistake_leaves_the_file(ci):
    own(ci, 'A=%u\n')
    target(ci, 'own.env')
    before = ci.begin().read(FILE)
    own(ci, '# one\nA=%u %z\n')
    ci.reload()
    job = ci.client.wait_job('edge', Reason='target-malformed')
    assert 'templates/own.env, line 2, column 6: %z' in job['Message'] and 'pullauth.template' in job['Hint']
    assert ci.read(FILE) == before
    own(ci, 'B=%u\n')
    ci.reload()
    ci.client.wait_job('edge', State='fresh', Reason='')
    assert ci.read(FILE) == b'B=acme+edge\n'


def test_a_loop_whose_turns_would_be_quoted_differently_is_refused(ci):
    own(ci, "# keys\n%['%k': %u\n%|c%]", 'own.yaml')
    target(ci, 'own.yaml')
    ci.start()
    job = ci.client.wait_job('edge', Reason='target-malformed')
    assert 'templates/own.yaml, line 3, column 4: %]' in job['Message'] and not os.path.exists(ci.path(FILE))
    own(ci, "# keys\n%['%k': %u\n%]", 'own.yaml')
    ci.reload()
    ci.client.wait_job('edge', State='fresh', Reason='')
    keys = yaml.safe_load(ci.read(FILE))
    assert keys == {'quay.example.com/acme/a': 'acme+edge', 'quay.example.com/acme/b': 'acme+edge'}


def test_a_place_takes_no_two_values(ci):
    own(ci, '%k\n', 'one')
    target(ci, 'one')
    ci.start()
    job = ci.client.wait_job('edge', Reason='target-malformed')
    assert 'several' in job['Message'] and not os.path.exists(ci.path(FILE))


@pytest.mark.parametrize('template', ['nothing.env', '/etc/pullauth/templates/nothing.env'])
def test_a_template_that_is_missing_is_told(ci, template):
    target(ci, template)
    ci.start()
    job = ci.client.wait_job('edge', Reason='target-malformed')
    assert 'nothing.env' in job['Message'] and 'No such file' in job['Message']


def test_a_template_of_somebody_else_is_none(ci):
    own(ci, 'A=%u\n')
    os.chmod(ci.path('etc/pullauth/templates/own.env'), 0o666)
    target(ci, 'own.env')
    ci.start()
    assert 'others can write it' in ci.client.wait_job('edge', Reason='target-malformed')['Message']


def test_the_administrator_has_the_last_word(ci):
    own(ci, 'MINE=%u\n', 'credential.env')
    target(ci, 'credential.env')
    assert ci.begin().read(FILE) == b'MINE=acme+edge\n'


@pytest.mark.parametrize('line, complaint', [
    ('Template=a b', 'neither a path nor a name'), ('Template=/a/../b', '..'), ('Quote=xml', 'none of plain'),
    ('Variable=x', 'is not valid'), ('Variable=A=x', 'is not valid'),
])
def test_wrong_values_are_told_with_their_line(ci, line, complaint):
    target(ci, 'netrc', f'{line}\n')
    ci.start()
    job = ci.client.wait_job('edge', Reason='configuration-invalid')
    assert 'ci.target:4' in job['Message'] and complaint in job['Message']


def test_a_preview_has_no_secret(ci):
    target(ci, 'secret.yaml')
    ci.begin()
    text = ci.client.call('org.pullauth1.Manager', 'RenderTarget', 's', 'ci')
    inner = json.loads(base64.b64decode(yaml.safe_load(text)['data']['.dockerconfigjson']))
    assert {base64.b64decode(entry['auth']) for entry in inner['auths'].values()} == {b'acme+edge:(hidden)'}
