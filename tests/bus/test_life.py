# SPDX-License-Identifier: LGPL-2.1-or-later
"""A job's life as its host sees it: fetched, published, refreshed, kept over restarts, withdrawn at its end."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import time

from fakeworker import boot_usec, failure
from privatebus import PrivateBus
from rig import DAEMON_UID, SLOW, as_user, program

KEY = 'quay.example.com/acme'
SYSTEM, PODMAN = 'etc/containers/auth.json', 'run/containers/0/auth.json'


def credential(host, path=SYSTEM, key=KEY):
    """(user, secret) that stands in a target."""
    return tuple(base64.b64decode(host.auths(path)[key]['auth']).decode().split(':', 1))


def test_a_job_becomes_fresh_and_stands_in_both_default_targets(edge):
    assert credential(edge) == credential(edge, PODMAN) == ('acme+edge', edge.worker.tokens[0])
    fragment = json.loads(edge.read('run/pullauth/fragments/edge.json'))
    assert list(fragment['auths']) == [KEY]
    job = edge.client.job('edge')
    assert job['Reason'] == job['Message'] == job['Step'] == ''
    assert [state[2] for state in job['TargetStates']] == ['published', 'published']
    assert job['Refreshes'] == job['AttemptsStarted'] == job['AttemptsEnded'] == 1
    assert job['Issued'] < job['NextAttempt'] < job['Expires'] == job['Issued'] + 3600 * 10**6
    assert job['IdentityIssuer'] == 'https://issuer.example' and job['IdentityAudience'] == ['quay']
    edge.notify.wait('STATUS=1 job: 1 fresh')


def test_ready_comes_after_the_first_attempt_and_not_before(host):
    host.standard()
    host.worker.answer = lambda request: None
    host.start(wait=False)
    host.client.wait(lambda: host.client.owner() and host.client.jobs()['edge'][4] == 'refreshing', 'the first attempt')
    assert 'READY=1' not in host.notify.lines and host.client.manager('Ready') is False
    host.worker.answer = host.worker.credential
    host.worker.stop()
    host.notify.wait('READY=1', 60)
    host.client.wait(lambda: host.client.manager('Ready'), 'readiness on the bus')


def test_a_stop_waits_neither_for_a_worker_nor_for_a_bus_that_does_not_answer(host):
    """Both listen, so that connecting works; libsystemd would let each be waited for at the end of the event loop."""
    host.worker.stop()
    host.standard()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(host.worker.path)
        os.chown(host.worker.path, DAEMON_UID, DAEMON_UID)
        silent.listen()
        host.start(wait=False)
        host.client.wait(lambda: host.client.owner() and host.client.jobs()['edge'][4] == 'refreshing', 'the attempt')
        host.bus.process.send_signal(signal.SIGSTOP)
        try:
            assert host.stop() == 0
        finally:
            host.bus.process.send_signal(signal.SIGCONT)


def test_a_daemon_without_jobs_is_ready_and_makes_no_file(host):
    host.start()
    host.notify.wait('STATUS=No jobs, see pullauth.job(5)')
    assert host.client.jobs() == {}
    assert host.auths() is None and host.auths(PODMAN) is None


def test_foreign_entries_and_unknown_fields_survive_to_the_byte(host):
    before = (b'{\n  "auths" : { "docker.io":{"auth":"Zm9vOmJhcg==","x":1.50e+2},\r\n\t"ghcr.io": {} },\n'
              b'  "credHelpers": {"a.example":"b"}, "weird": [1,  2.0, "\\u00e9\xc3\xa9"] }\n\n')
    host.write(SYSTEM, before, 0o640)
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    after = host.read(SYSTEM)
    assert credential(host)[0] == 'acme+edge'
    for piece in before.split(b'"ghcr.io": {}'):
        assert piece.strip() in after
    host.stop()
    os.unlink(host.path('etc/pullauth/jobs/edge.job'))
    host.start()
    host.wait_file(SYSTEM, lambda: host.read(SYSTEM) == before)


def test_a_refresh_on_demand_replaces_the_credential_everywhere(edge):
    first = edge.worker.tokens[0]
    result = edge.busctl('call', 'org.pullauth1', '/org/pullauth1', 'org.pullauth1.Manager', 'RefreshJob', 's', 'edge',
                         uid=0)
    assert result.returncode == 0, result.stderr
    attempt = int(result.stdout.split()[1])
    job = edge.client.wait_job('edge', AttemptsEnded=attempt, State='fresh')
    assert job['Refreshes'] == 2 and edge.worker.tokens[1] != first
    assert credential(edge)[1] == credential(edge, PODMAN)[1] == edge.worker.tokens[1]


def test_short_lived_credentials_are_replaced_before_they_end(host):
    host.worker.lifetime = 12 * SLOW  # of which a third is left at least when the next one is fetched
    host.standard().start()
    seen = host.client.wait_job('edge', timeout=60, Refreshes=lambda n: n >= 3)
    assert seen['State'] in ('fresh', 'refreshing') and KEY in host.auths()
    assert not [line for line in host.log().splitlines() if 'ended and is withdrawn' in line]


def test_what_has_ended_is_withdrawn_and_comes_back_with_the_next_success(host):
    host.worker.lifetime = 4
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    host.worker.answer = lambda request: failure('registry-error', HTTPStatus=500)
    job = host.client.wait_job('edge', State='expired', Reason='registry-error', timeout=30)
    assert job['HTTPStatus'] == 500 and job['Expires'] == 0
    host.wait_file(SYSTEM, lambda: host.auths() == {})
    host.wait_file(PODMAN, lambda: host.auths(PODMAN) == {})
    host.worker.answer = lambda request: host.worker.credential(request, lifetime=600)
    host.client.wait_job('edge', State='fresh', timeout=60)
    assert KEY in host.auths()


def test_a_restart_costs_no_exchange_and_keeps_the_dates(edge):
    before = edge.client.job('edge')
    for number in (signal.SIGTERM, signal.SIGKILL):
        edge.restart(number)
        after = edge.client.wait_job('edge', State='fresh')
        assert len(edge.worker.requests) == 1
        assert abs(after['Expires'] - before['Expires']) < 10**6
        assert abs(after['NextAttempt'] - before['NextAttempt']) < 10**6
        assert abs(after['LastSuccess'] - before['LastSuccess']) < 10**6


def test_a_restart_without_runtime_directory_takes_the_credential_from_the_target(edge):
    edge.stop()
    shutil.rmtree(edge.path('run/pullauth/fragments'))
    edge.start()
    edge.client.wait_job('edge', State='fresh')
    assert len(edge.worker.requests) == 1
    assert json.loads(edge.read('run/pullauth/fragments/edge.json'))['auths'].keys() == {KEY}


def test_other_scopes_after_a_restart_are_filled_with_what_stands(edge):
    edge.stop()
    edge.job(more='Scopes=acme/app acme/base\n')
    edge.start()
    edge.client.wait_job('edge', State='fresh', TargetStates=lambda rows: all(row[2] == 'published' for row in rows))
    assert set(edge.auths()) == set(edge.auths(PODMAN)) == {'quay.example.com/acme/app', 'quay.example.com/acme/base'}
    assert len(edge.worker.requests) == 1


def test_another_registry_after_a_restart_gets_nothing_of_the_old_one(edge):
    edge.stop()
    edge.job(registry='quay.example.com.evil.example')
    edge.worker.answer = lambda request: failure('connection-failed')
    edge.start()
    edge.client.wait_job('edge', State='expired')
    edge.wait_file(SYSTEM, lambda: edge.auths() == {})


def test_what_ended_while_the_daemon_was_down_is_withdrawn_at_start(host):
    host.worker.lifetime = 3
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    host.stop()
    end = boot_usec() + (host.worker.lifetime + 1) * 10**6  # also of one that was fetched since
    while boot_usec() <= end:
        time.sleep(0.05)  # nothing tells of the passing of time but time
    host.worker.answer = lambda request: failure('connection-failed')
    host.start()
    host.client.wait_job('edge', State='expired', Reason='connection-failed')
    host.wait_file(SYSTEM, lambda: host.auths() == {})


def test_a_credential_that_ends_before_it_could_be_published_is_a_failure(edge):
    def answer(request):
        if answers or 'slow' not in request['Robot']:
            return failure('connection-failed')
        asked = boot_usec()
        edge.worker.wait(lambda: boot_usec() - asked > 10**6, 'most of its life')
        os.unlink(edge.path(SYSTEM))
        edge.worker.wait(edge.auths, 'mending')
        # The target is not written again for a fifth of a second. The credential ends before that, whenever this
        # comes to the daemon; the clock of files is the real one.
        now = boot_usec()
        mended = now - (time.time_ns() - os.stat(edge.path(SYSTEM)).st_mtime_ns) // 1000
        answers.append(edge.worker.credential(request, lifetime=1))
        return {**answers[0], 'ObtainedBoot': mended + 150000 - 10**6}
    answers = []
    edge.worker.answer = answer
    edge.job('slow', more='Scopes=acme/slow\n')
    edge.reload()
    job = edge.client.wait_job('slow', State='expired')
    assert job['Reason'] in ('expired', 'token-not-usable') and job['Refreshes'] == 0 and job['Expires'] == 0
    assert job['NextAttempt'] > job['LastAttempt']
    edge.wait_file(SYSTEM, lambda: edge.auths() and list(edge.auths()) == [KEY])


def test_stopping_leaves_the_credential_in_place(edge):
    assert edge.stop() == 0
    assert credential(edge)[1] == edge.worker.tokens[0]
    edge.notify.wait('STOPPING=1')


def test_a_worse_credential_never_replaces_a_good_one(edge):
    good = edge.worker.tokens[0]
    edge.worker.answer = lambda request: edge.worker.credential(request, lifetime=60)
    edge.busctl('call', 'org.pullauth1', '/org/pullauth1', 'org.pullauth1.Manager', 'RefreshAll', uid=0)
    job = edge.client.wait_job('edge', State='retrying')
    assert job['Reason'] == 'token-not-usable' and credential(edge)[1] == good


def test_the_watchdog_is_fed(host):
    host.standard().start(WATCHDOG_USEC='2000000')
    host.notify.wait('WATCHDOG=1')


def test_a_second_daemon_gives_way(edge):
    second = subprocess.run([program(edge.directory, 'pullauthd'), f'--root={edge.root}'], env=edge.environment(),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            timeout=60 * SLOW, **as_user(DAEMON_UID))
    assert second.returncode == 1 and 'another pullauthd is running' in second.stdout
    assert edge.client.job('edge', 'State') == 'fresh'


def test_no_secret_is_seen_anywhere_but_in_the_files(edge):
    edge.worker.answer = lambda request: failure('identity-rejected', HTTPStatus=400, Words='Invalid token: no')
    edge.busctl('call', 'org.pullauth1', '/org/pullauth1', 'org.pullauth1.Manager', 'RefreshAll', uid=0)
    edge.client.wait_job('edge', Reason='identity-rejected')
    secrets = [edge.worker.tokens[0], edge.worker.tokens[0].split('.')[2], edge.read('tokens/token').decode()]
    secrets += [base64.b64encode(f'acme+edge:{edge.worker.tokens[0]}'.encode()).decode()]
    said = ' '.join([edge.log(), str(edge.client.signals), str(edge.client.job('edge')), str(edge.client.manager()),
                     edge.read('var/lib/pullauth/state.json').decode(), ' '.join(edge.notify.lines)])
    for secret in secrets:
        assert secret not in said


def test_the_daemon_finds_the_bus_again(edge):
    edge.bus.close()
    edge.forget_client()
    edge.bus = PrivateBus(os.path.join(edge.directory, 'bus'), **edge.bus_arguments)
    edge.client.wait(edge.client.owner, 'the name on the new bus')
    assert edge.client.job('edge', 'State') == 'fresh' and len(edge.worker.requests) == 1
