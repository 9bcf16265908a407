# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauth-credential-provider and its configuration, judged by the types that Kubernetes publishes, in Go."""

import json
import os
import re
import subprocess
import textwrap

import gobuild
import pytest
from rig import SLOW, TOP
from test_kubelet import IMAGE, QUAY, decoded, run
from test_kubelet_pods import lender, pod  # noqa: F401

pytestmark = pytest.mark.limit(700)  # for the first, which may have to build the judge
PLUGIN = 'pullauth-credential-provider'


class Kubelet:
    def __init__(self):
        self.program = gobuild.program(os.path.join(TOP, 'tests', 'bus', 'kubelet'))

    def judge(self, kind, text):
        return subprocess.run([self.program, kind], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=60 * SLOW)

    def said(self, kind, text):
        done = self.judge(kind, text)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope='module')
def kubelet():
    return Kubelet()


def understood(kubelet, host, image=IMAGE, **more):
    """What kubelet takes from the answer to a request of its own writing."""
    done = run(host, kubelet.said('request', json.dumps({'image': image, **more})))
    assert (done.returncode, done.stderr) == (0, ''), done.stderr
    heard = json.loads(kubelet.said('response', done.stdout))
    kind, span, auth = decoded(done.stdout)  # as the other tests understand it
    assert heard == {'cacheKeyType': kind, 'cacheSeconds': span,
                     'auth': {scope: entry['username'] for scope, entry in (auth or {}).items()}}
    return heard


def test_kubelet_and_the_plugin_understand_each_other(kubelet, edge):
    heard = understood(kubelet, edge)
    assert heard['auth'] == {f'{QUAY}/acme': 'acme+edge'} and heard['cacheSeconds'] > 3000


def test_an_answer_without_a_credential_is_one(kubelet, edge):
    assert understood(kubelet, edge, 'elsewhere.example.com/x')['auth'] == {}


def test_a_request_with_the_token_of_a_pod(kubelet, lender):  # noqa: F811
    assert understood(kubelet, lender, **pod())['auth'] == {f'{QUAY}/acme': 'acme+pod'}


def configurations():
    with open(os.path.join(TOP, 'docs', 'examples', 'kubelet-credential-provider.yaml'), encoding='utf-8') as file:
        yield 'example', file.read()
    with open(os.path.join(TOP, 'man', f'{PLUGIN}.1.rst'), encoding='utf-8') as file:
        text = file.read()
    block, = re.findall(r'^( +apiVersion: kubelet\.config.*?)^\S', text, re.DOTALL | re.MULTILINE)
    pods, = re.findall(r'^( +tokenAttributes:.*?)^\S', text, re.DOTALL | re.MULTILINE)
    yield 'manual', textwrap.dedent(block) + textwrap.indent(textwrap.dedent(pods), '  ')


@pytest.mark.parametrize('text', [pytest.param(text, id=name) for name, text in configurations()])
def test_configurations_that_are_shown_are_what_kubelet_takes(kubelet, text):
    made = json.loads(kubelet.said('config', text))
    provider, = made['providers']
    assert made['kind'] == 'CredentialProviderConfig' and provider['name'] == PLUGIN
    assert provider['tokenAttributes']['optionalServiceAccountAnnotationKeys'] == ['pullauth.org/robot']
    assert not kubelet.judge('config', text.replace('matchImages', 'matchImage')).returncode == 0


@pytest.mark.parametrize('more', ['"cacheTime": "1s"', '"cacheKeyType": "Image"', '"cacheDuration": 5'])
def test_the_judge_is_strict(kubelet, more):
    answer = ('{"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderResponse", '
              '"cacheKeyType": "Image"%s}')
    assert kubelet.judge('response', answer % '').returncode == 0
    assert kubelet.judge('response', answer % f', {more}').returncode != 0
