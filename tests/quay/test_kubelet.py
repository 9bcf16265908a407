# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kubelet's plugin with the real daemon and worker: the token of a pod becomes a credential that the registry takes."""

import json
import subprocess

import pytest
from world import World, program

API = 'credentialprovider.kubelet.k8s.io/v1'


@pytest.fixture
def world(rig):
    made = World(rig)
    try:
        yield made
    finally:
        made.close()


def plugin(world, image, token, robot):
    request = {'apiVersion': API, 'kind': 'CredentialProviderRequest', 'image': f'{world.quay.quay}/{image}',
               'serviceAccountToken': token, 'serviceAccountAnnotations': {'pullauth.org/robot': robot}}
    return subprocess.run([program(world.directory, 'pullauth-credential-provider')], input=json.dumps(request),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=world.environment())


def test_a_pods_token_is_exchanged_for_its_own_robot_account(world):
    """The job's own robot account trusts another subject than the pod's."""
    quay = world.quay
    subject = 'system:serviceaccount:shop:till'
    quay.robot('acme+pod', federation=[quay.federation_entry(subject=subject)])
    world.job(more='PodRobots=acme+*\n')
    world.start()
    world.client.wait_job('edge', State='fresh')
    token = quay.jwt({'sub': subject})
    done = plugin(world, 'acme/app:1', token, 'acme+pod')
    assert done.returncode == 0, done.stderr
    login = json.loads(done.stdout)['auth'][f'{quay.quay}/acme']
    answer = quay.request(f'/v2/auth?service={quay.quay}&scope=repository:acme/app:pull', user=login['username'],
                          password=login['password'])
    assert login['username'] == 'acme+pod' and answer.status == 200 and answer.json()['token']
    exchanges = quay.audit()['exchanges']
    assert plugin(world, 'acme/app:1', token, 'acme+pod').stdout and quay.audit()['exchanges'] == exchanges
    done = plugin(world, 'acme/app:1', token, 'acme+edge')
    assert done.returncode == 1 and 'pullauth-credential-provider: ' in done.stderr and token not in done.stderr
    assert world.client.job('edge', 'State') == 'fresh', 'what pods do is nothing to the job'
