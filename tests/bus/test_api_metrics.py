# SPDX-License-Identifier: LGPL-2.1-or-later
"""GetMetrics, read by the parser that Prometheus itself offers."""

import pytest
from rig import ROOT, STRANGER_UID

MANAGER = 'org.pullauth1.Manager'
parser = pytest.importorskip('prometheus_client.openmetrics.parser', reason='no python3-prometheus-client here')


def families(host):
    text = host.client.call(MANAGER, 'GetMetrics')
    assert text.endswith('# EOF\n')
    found = {family.name: family for family in parser.text_string_to_metric_families(text)}
    assert not [secret for secret in host.worker.tokens if secret in text]
    return found


def test_a_fresh_job_says_the_same_as_its_properties(edge):
    found, job = families(edge), edge.client.job('edge')

    def value(name, **labels):
        values = [sample.value for sample in found[name].samples
                  if sample.labels == {'job': 'edge', **labels}]
        assert len(values) == 1, (name, found[name].samples)
        return values[0]
    assert found['pullauth_build'].samples[0].labels == {'version': edge.client.manager('Version')}
    assert found['pullauth_ready'].samples[0].value == 1
    assert value('pullauth_job', registry=job['Registry'], robot=job['Robot'], identity=job['Identity']) == 1
    states = {sample.labels['pullauth_job_state']: sample.value for sample in found['pullauth_job_state'].samples}
    assert states.pop('fresh') == 1 and len(states) == 5 and not any(states.values())
    assert found['pullauth_job_state'].type == 'stateset' and found['pullauth_job_attempts'].type == 'counter'
    assert value('pullauth_job_attempts') == job['AttemptsStarted']
    assert value('pullauth_job_refreshes') == job['Refreshes']
    assert value('pullauth_job_failures') == 0
    for name, member in (('issued', 'Issued'), ('expires', 'Expires'), ('next_attempt', 'NextAttempt'),
                         ('last_attempt', 'LastAttempt'), ('last_success', 'LastSuccess')):
        assert value(f'pullauth_job_{name}_timestamp_seconds') == pytest.approx(job[member] / 1e6, abs=1e-3)
    assert found['pullauth_job_expires_timestamp_seconds'].unit == 'seconds'
    targets = {(sample.labels['target'], sample.labels['pullauth_job_target_state'])
               for sample in found['pullauth_job_target_state'].samples if sample.value}
    assert targets == {('system', 'published'), ('podman', 'published')}
    assert found['pullauth_job_failure'].samples == []


def test_a_failure_is_a_sample_while_it_lasts(edge):
    edge.worker.answer = lambda request: {'Reason': 'robot-unknown', 'Step': 'exchange', 'Message': 'No "robot"\\'}
    edge.client.call(MANAGER, 'RefreshAll')
    edge.client.wait_job('edge', State='retrying')
    found = families(edge)
    assert [sample.labels for sample in found['pullauth_job_failure'].samples] == \
        [{'job': 'edge', 'reason': 'robot-unknown', 'step': 'exchange'}]
    assert found['pullauth_job_failures'].samples[0].value == 1


def test_many_jobs(host):
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    for number in range(30):
        host.job(f'j{number}', robot=f'n{number}+edge')
    host.reload()
    host.client.wait(lambda: host.client.manager('NFresh') == 31, 'all jobs')
    assert len(families(host)['pullauth_job'].samples) == 31


@pytest.mark.skipif(not ROOT, reason='calls as another user can be made by root alone')
def test_everyone_may_look(edge):
    result = edge.busctl('call', 'org.pullauth1', '/org/pullauth1', MANAGER, 'GetMetrics', uid=STRANGER_UID)
    assert result.returncode == 0 and 'pullauth_job_state' in result.stdout
