# SPDX-License-Identifier: LGPL-2.1-or-later
"""Targets in a cluster: daemon and worker as they are, a registry that is simulated, and a stand-in for the API."""

import base64
import json
import os

import pytest
from cluster import ASKER, KEY, TYPE, Cluster
from world import World

pytestmark = pytest.mark.limit(180)
FILE, NAME = 'etc/pullauth/targets/pods.target', 'quay-pull'
FOREIGN = {'docker.io': 'Zm9vOmJhcg=='}


@pytest.fixture
def world(rig):
    made = World(rig)
    made.api = Cluster(rig)
    try:
        made.write('tokens/cluster', ASKER, 0o600)
        target(made)
        made.job(more='Targets=pods\n')
        yield made
    finally:
        made.close()
        made.api.close()
    assert made.api.complaints == []


def target(world, more='', access='TokenFile=/tokens/cluster\nCAFile=/etc/pullauth/ca.pem\n', name='pods'):
    world.write(f'etc/pullauth/targets/{name}.target',
                f'[Kubernetes]\nSecret={NAME}\nNamespace=edge\nServer={world.api.url}\n{access}{more}')


def scope(world):
    return f'{world.quay.quay}/acme'


def auths(world):
    found = world.api.find(NAME)
    return found and found.auths


def wait(world, condition, what='the Secret is as expected'):
    world.client.poll(condition, what, 60)


def wait_auths(world, *keys):
    wait(world, lambda: sorted(auths(world) or {}) == sorted(keys), f'entries {keys}')


def state_of(world, job='edge'):
    (_name, path, result, message), = world.client.job(job, 'TargetStates')
    return path, result, message


def in_line(world):
    """What stands in the cluster is what the fragment has, and the registry takes it."""
    fragment = json.loads(world.read('run/pullauth/fragments/edge.json'))['auths']
    entry = auths(world)[scope(world)]
    user, secret = base64.b64decode(entry['auth']).decode().split(':', 1)
    answer = world.quay.request(f'/v2/auth?service={world.quay.quay}&scope=repository:acme/app:pull', user=user,
                                password=secret)
    assert fragment[scope(world)] == entry and answer.status == 200
    return secret


def exchanges(world):
    return world.quay.audit()['exchanges']


def test_a_secret_is_made_kept_fresh_and_removed_with_its_job(world):
    target(world, 'Label=team=edge\nAnnotation=tekton.dev/docker-0=https://quay.example.com\n')
    world.fresh()
    secret, found = in_line(world), world.api.find(NAME)
    assert found.fields[('type',)] == TYPE and set(found.managers.values()) == {'pullauthd'}
    assert found.part('metadata', 'labels') == {'team': 'edge', 'app.kubernetes.io/managed-by': 'pullauthd'}
    notes = found.part('metadata', 'annotations')
    assert notes.pop('pullauth.org/host') == f'{os.uname().nodename}/pods'
    assert len(notes.pop('pullauth.org/owner')) == 32
    assert notes == {'tekton.dev/docker-0': 'https://quay.example.com'}
    path, result, message = state_of(world)
    assert (path, result, message) == (f'kubernetes:{world.api.url}/edge/{NAME}', 'published', '')
    world.refresh()
    wait(world, lambda: in_line(world) != secret)
    for text in (world.log(), world.read('var/lib/pullauth/state.json').decode()):
        assert ASKER not in text and secret not in text
    os.unlink(world.path('etc/pullauth/jobs/edge.job'))
    world.reload()
    wait(world, lambda: world.api.find(NAME) is None)


def test_what_ends_is_withdrawn(world):
    job = world.fresh()
    world.quay.misbehave('answer', '*', status=503)
    world.advance(world.left(job, 'Expires') + 1)
    wait(world, lambda: world.api.find(NAME) is None)
    assert world.client.wait_job('edge', State='expired')


def test_what_ends_is_retained_on_demand(world):
    target(world, 'Delete=retain\n')
    job = world.fresh()
    before = auths(world)
    world.quay.misbehave('answer', '*', status=503)
    world.advance(world.left(job, 'Expires') + 1)
    world.client.wait_job('edge', State='expired')
    wait(world, lambda: state_of(world)[1] == 'withdrawn')
    assert auths(world) == before
    world.quay.behave()
    world.next_attempt()
    wait(world, lambda: auths(world) != before)


@pytest.mark.parametrize('create, stays', [('owner', False), ('orphan', True)])
def test_a_target_goes(world, create, stays):
    target(world, f'Create={create}\nDelete=retain\n')
    world.fresh()
    before = auths(world)
    world.job(more='Targets=system\n')
    world.reload()
    world.client.wait_job('edge', State='fresh')
    if stays:
        wait(world, lambda: 'pods' not in world.read('var/lib/pullauth/state.json').decode())
    else:
        wait(world, lambda: world.api.find(NAME) is None)
    assert (auths(world) == before) is stays
    world.job(more='Targets=pods\n')
    world.reload()
    world.client.wait_job('edge', State='fresh')
    wait(world, lambda: in_line(world))


def test_a_target_that_is_changed_or_called_otherwise_keeps_its_secret(world):
    world.fresh()
    uid, secret = world.api.find(NAME).metadata['uid'], in_line(world)
    target(world, 'Label=team=edge\n')
    world.reload()
    wait(world, lambda: 'team' in world.api.find(NAME).part('metadata', 'labels'))
    os.rename(world.path(FILE), world.path(FILE.replace('pods', 'cluster')))
    world.job(more='Targets=cluster\n')
    world.reload()
    wait(world, lambda: world.api.find(NAME).part('metadata', 'annotations')['pullauth.org/host'].endswith('/cluster'))
    assert in_line(world) == secret and exchanges(world) == 1
    world.refresh()
    wait(world, lambda: in_line(world) != secret)
    assert world.api.find(NAME).metadata['uid'] == uid and 'DELETE' not in world.api.writes()


def test_a_secret_that_is_named_otherwise_moves(world):
    world.fresh()
    text = world.read(FILE).decode()
    world.write(FILE, text.replace(NAME, 'other'))
    world.reload()
    wait(world, lambda: world.api.find(NAME) is None and world.api.find('other'))
    assert state_of(world)[0].endswith('/edge/other')


def test_what_cannot_be_removed_at_once_is_removed_later(world):
    world.fresh()
    world.api.rights.remove('delete')
    os.unlink(world.path('etc/pullauth/jobs/edge.job'))
    world.reload()
    wait(world, lambda: "'delete' 'secrets'" in world.log())
    assert auths(world)
    world.api.rights.add('delete')
    world.advance(70)
    wait(world, lambda: world.api.find(NAME) is None)
    assert world.log().count('is no target any more, trying again') == 1


def test_a_secret_of_somebody_else_is_not_taken(world):
    world.api.put_auths(NAME, FOREIGN)
    world.start()
    job = world.client.wait_job('edge', Reason='target-conflict')
    assert 'somebody else' in job['Message'] and 'Create=merge' in job['Hint'] and state_of(world)[1] == 'failed'
    assert world.api.writes() == [] and list(auths(world)) == ['docker.io']
    del world.api.secrets[('edge', NAME)]
    world.client.call('org.pullauth1.Manager', 'ResetFailedJob', 's', 'edge')
    world.client.wait_job('edge', State='fresh')
    assert in_line(world) and exchanges(world) == 1


def test_a_secret_of_another_host_is_not_taken(world):
    world.fresh()
    world.stop()
    world.api.put(NAME, {('metadata', 'annotations', 'pullauth.org/owner'): '0' * 32,
                         ('metadata', 'annotations', 'pullauth.org/host'): 'edge-2/pods'})
    world.start()
    assert 'edge-2/pods' in world.client.wait_job('edge', Reason='target-conflict')['Message']


def test_entries_are_merged_into_a_secret_that_is_there(world):
    target(world, 'Create=merge\n')
    world.start()
    job = world.client.wait_job('edge', Reason='target-unwritable')
    assert NAME in job['Message'] and 'Create=owner' in job['Hint'] and world.api.writes() == []
    world.api.put_auths(NAME, FOREIGN)
    world.api.put(NAME, {('data', 'notes'): 'aGk='})
    world.client.call('org.pullauth1.Manager', 'ResetFailedJob', 's', 'edge')
    world.client.wait_job('edge', State='fresh')
    wait_auths(world, 'docker.io', scope(world))
    found = world.api.find(NAME)
    assert in_line(world) and found.auths['docker.io'] == {'auth': FOREIGN['docker.io']}
    assert found.part('data')['notes'] == 'aGk=' and found.part('metadata', 'labels') == {}
    os.unlink(world.path('etc/pullauth/jobs/edge.job'))
    world.reload()
    wait_auths(world, 'docker.io')
    assert exchanges(world) == 1


def test_an_entry_of_somebody_else_is_taken_on_demand_alone(world):
    target(world, 'Create=merge\n')
    world.api.put_auths(NAME, {scope(world): 'Zm9vOmJhcg=='})
    world.start()
    assert scope(world) in world.client.wait_job('edge', Reason='target-conflict')['Message']
    world.job(more='Targets=pods\nTakeOver=yes\n')
    world.reload()
    world.client.wait_job('edge', State='fresh')
    wait(world, lambda: in_line(world))


@pytest.mark.parametrize('fields, reason, word', [
    ({('data', KEY): base64.b64encode(b'{"auths": []}').decode()}, 'target-malformed', 'auths'),
    ({('type',): 'Opaque'}, 'target-malformed', 'Opaque')], ids=str)
def test_a_secret_that_is_not_understood_is_left_alone(world, fields, reason, word):
    target(world, 'Create=merge\n')
    world.api.put_auths(NAME, FOREIGN)
    world.api.find(NAME).fields.update(fields)
    world.start()
    assert word in world.client.wait_job('edge', Reason=reason)['Message']
    assert world.api.writes() == []


@pytest.mark.parametrize('create', ['owner', 'merge'])
def test_who_changes_the_secret_in_between_loses_nothing(world, create):
    target(world, f'Create={create}\n')
    if create == 'merge':
        world.api.put_auths(NAME, FOREIGN)
    world.fresh()
    rounds = []

    def someone(request):
        if request.method == 'PATCH' and len(rounds) < 2:
            rounds.append(request)
            world.api.put(NAME, {('metadata', 'labels', 'n'): str(len(rounds))})
    world.api.before = someone
    before = in_line(world)
    world.refresh()
    wait(world, lambda: in_line(world) != before)
    assert len(rounds) == 2 and world.api.find(NAME).part('metadata', 'labels')['n'] == '2'
    assert world.client.wait_job('edge', State='fresh') and 'cannot' not in state_of(world)[2]


def test_who_changes_it_all_the_time_is_told_of(world):
    world.fresh()
    world.api.before = lambda request: request.method == 'PATCH' and world.api.touch(world.api.find(NAME))
    world.refresh()
    job = world.client.wait_job('edge', Reason='target-conflict')
    assert 'show-managed-fields' in job['Hint']
    world.api.before = lambda request: None
    world.client.call('org.pullauth1.Manager', 'ResetFailedJob', 's', 'edge')
    wait(world, lambda: state_of(world)[1] == 'published')
    assert in_line(world) and exchanges(world) == 2


def test_what_others_did_to_it_is_mended_with_the_next_refresh(world):
    world.fresh()
    world.api.put_auths(NAME, FOREIGN, manager='kubectl-edit')
    world.api.find(NAME).fields[('metadata', 'labels', 'team')] = 'b'
    world.refresh()
    wait_auths(world, scope(world))
    assert in_line(world) and world.api.find(NAME).managers[('data', KEY)] == 'pullauthd'
    assert world.api.find(NAME).part('metadata', 'labels')['team'] == 'b'


def test_a_cluster_that_is_away_costs_no_exchange(world):
    world.api.misbehave('answer', status=503)
    world.start()
    job = world.client.wait_job('edge', Reason='target-unreachable')
    assert '503' in job['Message'] and world.api.address in job['Hint']
    world.api.rules.clear()
    world.advance(70)
    world.client.wait_job('edge', State='fresh', timeout=60)
    assert in_line(world) and exchanges(world) == 1


@pytest.mark.parametrize('change, words', [
    (lambda world: world.api.rights.remove('get'), ("'get' 'secrets'", 'Role')),
    (lambda world: world.api.rights.remove('create'), ("'create' and 'patch'",)),
    (lambda world: world.api.namespaces.remove('edge'), ('Namespace=',)),
    (lambda world: world.write('tokens/cluster', 'stale', 0o600), ('TokenFile=', '401')),
    (lambda world: os.unlink(world.path('tokens/cluster')), ('/tokens/cluster', "target 'pods'")),
    (lambda world: os.chmod(world.path('tokens/cluster'), 0o666), ('/tokens/cluster', "target 'pods'"))],
    ids=['get', 'create', 'namespace', 'stale', 'missing', 'unsafe'])
def test_what_is_refused_is_named_and_mended_without_an_exchange(world, change, words):
    change(world)
    world.start()
    job = world.client.wait_job('edge', Reason='target-refused')
    said = f'{job["Message"]} {job["Hint"]}'
    assert all(word in said for word in words) and ASKER not in said, said
    world.api.rights, world.api.namespaces = {'get', 'create', 'patch', 'delete'}, {'edge'}
    world.write('tokens/cluster', ASKER, 0o600)
    world.client.call('org.pullauth1.Manager', 'ResetFailedJob', 's', 'edge')
    world.client.wait_job('edge', State='fresh')
    assert in_line(world) and exchanges(world) == 1


def test_a_restart_costs_no_exchange_and_takes_up_the_secret(world):
    world.fresh()
    uid, secret = world.api.find(NAME).metadata['uid'], in_line(world)
    world.restart()
    world.client.wait_job('edge', State='fresh')
    assert world.api.find(NAME).metadata['uid'] == uid and in_line(world) == secret and exchanges(world) == 1


def test_after_a_reboot_the_secret_stays_until_there_is_a_new_credential(world):
    world.fresh()
    uid, before = world.api.find(NAME).metadata['uid'], exchanges(world)
    world.stop()
    world.reboot()
    world.start()
    world.client.wait_job('edge', State='fresh')
    # Tokens of one second are the same.
    assert in_line(world) and exchanges(world) > before and world.api.find(NAME).metadata['uid'] == uid
    assert 'DELETE' not in world.api.writes()


def reboot_without_registry(world):
    """Returns when the cluster was looked at, which is after the first attempt."""
    world.stop()
    world.reboot()
    world.quay.misbehave('answer', '*', status=503)
    asked = len(world.api.asked)
    world.start()
    wait(world, lambda: len(world.api.asked) > asked, 'a look at the cluster')
    return world.client.wait_job('edge', State='expired')


@pytest.mark.parametrize('create', ['owner', 'merge'])
def test_without_a_registry_after_a_reboot_the_secret_stays_to_the_end_of_what_is_in_it(world, create):
    target(world, f'Create={create}\n')
    if create == 'merge':
        world.api.put_auths(NAME, FOREIGN)
    job = world.fresh()
    before = auths(world)
    for _ in range(2):
        reboot_without_registry(world)
        wait(world, lambda: state_of(world)[1] == 'published')
        assert auths(world) == before and 'DELETE' not in world.api.writes()
    world.advance(world.left(job, 'Expires') - 30)
    assert auths(world) == before
    world.advance(31)
    wait(world, lambda: scope(world) not in (auths(world) or {}))
    assert (world.api.find(NAME) is None) == (create == 'owner')


def test_a_restart_forgets_labels_that_the_target_does_not_name_any_more(world):
    target(world, 'Label=team=edge\n')
    world.fresh()
    world.stop()
    target(world)
    world.start()
    world.client.wait_job('edge', State='fresh')
    wait(world, lambda: 'team' not in world.api.find(NAME).part('metadata', 'labels'))


def test_a_job_that_went_while_nobody_ran_leaves_nothing_behind(world):
    world.fresh()
    world.stop()
    os.unlink(world.path('etc/pullauth/jobs/edge.job'))
    world.start()
    wait(world, lambda: world.api.find(NAME) is None)
    assert 'is no target any more' not in world.log()


def test_a_target_that_went_while_nobody_ran_is_told_of(world):
    world.fresh()
    world.stop()
    os.unlink(world.path(FILE))
    world.job(more='Targets=system\n')
    world.start()
    world.client.wait_job('edge', State='fresh')
    assert f'/edge/{NAME} is no target any more' in world.log() and auths(world)
    world.stop()
    os.truncate(world.logs, 0)
    world.start()
    assert 'is no target any more' not in world.log()


def test_a_broken_file_keeps_what_is_there_and_withdraws_it_in_the_end(world):
    job = world.fresh()
    target(world, 'Create=maybe\n')
    world.reload()
    world.client.wait_job('edge', Reason='configuration-invalid')
    assert auths(world)
    world.advance(world.left(job, 'Expires') + 1)
    wait(world, lambda: world.api.find(NAME) is None)


def test_two_jobs_share_a_secret(world):
    world.quay.robot('acme+other', federation=[world.quay.federation_entry()])
    world.job('other', more='Targets=pods\nScopes=acme/other\n')
    world.fresh()
    world.client.wait_job('other', State='fresh')
    wait_auths(world, scope(world), f'{scope(world)}/other')
    os.unlink(world.path('etc/pullauth/jobs/other.job'))
    world.reload()
    wait_auths(world, scope(world))


def test_a_secret_is_shown_without_its_secrets(world):
    world.fresh()
    text = world.client.call('org.pullauth1.Manager', 'RenderTarget', 's', 'pods')
    assert scope(world) in text and '(hidden)' in text and in_line(world) not in text
    assert f'/edge/{NAME}' in world.ctl('status', 'edge').stdout


@pytest.mark.parametrize('text, words', [
    ('Secret=Quay\nServer=https://a\nTokenFile=/t\n', ('Secret=Quay', ':2')),
    ('Namespace=edge\nServer=https://a\nTokenFile=/t\n', ('Secret= is missing',)),
    ('Secret=a\nTokenFile=/t\n', ('Server=, InCluster=, Kubeconfig=',)),
    ('Secret=a\nServer=https://a\n', ('TokenFile=, ClientKeyFile=',)),
    ('Secret=a\nServer=http://a\nTokenFile=/t\n', ('Server=http://a', ':3')),
    ('Secret=a\nServer=https://a\nTokenFile=/t\nNamespace=A\n', ('Namespace=A', ':5')),
    ('Secret=a\nServer=https://a\nTokenFile=/t\nDelete=no\n', ('Delete=no', 'retain')),
    ('Secret=a\nServer=https://a\nTokenFile=/t\nLabel=a=b c\n', ('Label=team=edge', ':5')),
    ('Secret=a\nServer=https://a\nTokenFile=/t\nAnnotation=pullauth.org/owner=me\n', ('itself', ':5')),
    ('Secret=a\nServer=https://a\nTokenFile=/t\n[Target]\nPath=/etc/a\n', ('Path=', '[Kubernetes]')),
], ids=str)
def test_mistakes_are_named(world, text, words):
    world.write(FILE, f'[Kubernetes]\n{text}')
    world.start()
    world.client.wait_job('edge', State='failed')
    assert all(word in world.log() for word in words), world.log()
    assert world.api.asked == []


def test_one_secret_belongs_to_one_target(world):
    target(world, name='other')
    world.start()
    world.client.wait_job('edge', State='failed')
    assert "that of target 'other' already" in world.log() and NAME in world.log()
