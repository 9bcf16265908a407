# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauthd.conf: what the daemon takes from it at its start and at a reload, and what becomes of mistakes in it."""

PATH = 'etc/pullauth/pullauthd.conf'


def manager_messages(host):
    return [(severity, file[file.index('/etc/'):], line, text)
            for severity, line, file, text in host.client.manager('ConfigurationMessages')]


def test_jobs_take_its_defaults_and_go_back_when_they_are_gone(host):
    host.write(PATH, '[Manager]\nDefaultTargets=podman\nDefaultProxy=http://proxy.example.com:3128\n')
    host.write('usr/lib/pullauth/pullauthd.conf.d/50-vendor.conf', '[Manager]\nDefaultMinimumRemaining=10min\n')
    host.standard()
    host.job('own', registry='quay.example.org', more='Targets=system\nProxy=none\nMinimumRemaining=30min\n')
    host.start()
    job = host.client.wait_job('edge', State='fresh', Targets=['podman'])
    assert job['MinimumRemaining'] == 600 * 10**6
    own = host.client.wait_job('own', State='fresh', Targets=['system'])
    assert own['MinimumRemaining'] == 1800 * 10**6
    assert {request['Job']: request.get('Proxy', '') for request in host.worker.requests} == \
        {'edge': 'http://proxy.example.com:3128', 'own': ''}
    assert list(host.auths()) == ['quay.example.org/acme']
    assert list(host.auths('run/containers/0/auth.json')) == ['quay.example.com/acme']
    host.write(PATH, '')
    host.reload()
    host.client.wait_job('edge', State='fresh', Targets=['system', 'podman'])
    host.wait_file('etc/containers/auth.json',
                   lambda: sorted(host.auths()) == ['quay.example.com/acme', 'quay.example.org/acme'])


def test_mistakes_are_named_by_line_and_keep_nothing_from_working(host):
    host.write(PATH, '[Manager]\nLogLevel=loud\nReadyTimout=5s\nDefaultProxy=http://proxy.example.com\n')
    host.standard().start()
    host.client.wait_job('edge', State='fresh')
    found = manager_messages(host)
    assert [message[:3] for message in found] == [('error', f'/{PATH}', 2), ('warning', f'/{PATH}', 3)]
    assert 'use emerg' in found[0][3] and "did you mean 'ReadyTimeout'" in found[1][3]
    assert host.worker.requests[0]['Proxy'] == 'http://proxy.example.com'
    host.write(PATH, '[Manager]\nDefaultTargets=nowhere\nDefaultProxy=http://proxy.example.com\n')
    host.reload()
    host.client.wait_job('edge', State='failed', Reason='target-missing')
    assert [message[:3] for message in manager_messages(host)] == [('error', f'/{PATH}', 2)]
    host.write(PATH, '[Manager]\nDefaultProxy=http://proxy.example.com\n')
    host.reload()
    host.client.wait_job('edge', State='fresh')
    assert manager_messages(host) == [] and len(host.worker.requests) == 1


def test_an_unsafe_file_counts_for_nothing(host):
    host.write(PATH, '[Manager]\nDefaultTargets=podman\n', mode=0o666)
    host.standard().start()
    host.client.wait_job('edge', State='fresh', Targets=['system', 'podman'])
    assert [message[:3] for message in manager_messages(host)] == [('error', f'/{PATH}', 0)]


def test_the_start_waits_as_long_as_it_says(host):
    host.write(PATH, '[Manager]\nReadyTimeout=0\n')
    host.standard()
    host.worker.answer = lambda request: None
    host.start(wait=False)
    host.notify.wait('READY=1', 30)
    assert 'EXTEND_TIMEOUT_USEC=10000000' in host.notify.lines
    host.client.wait_job('edge', State='refreshing')  # which may begin a moment after it


def test_the_log_level_counts_unless_the_environment_has_one(host):
    host.write(PATH, '[Manager]\nLogLevel=err\n')
    host.standard().start(PULLAUTH_LOG_LEVEL=None)
    host.client.wait_job('edge', State='fresh')
    assert host.log() == ''
    host.write(PATH, '[Manager]\nLogLevel=info\n')
    host.reload()
    host.client.call('org.pullauth1.Manager', 'RefreshJob', 's', 'edge')
    host.client.wait_job('edge', Refreshes=2)
    assert host.log().count("'edge': credential refreshed") == 1
    host.write(PATH, '[Manager]\nLogLevel=emerg\n')
    host.restart(PULLAUTH_LOG_LEVEL='debug')
    host.client.call('org.pullauth1.Manager', 'RefreshJob', 's', 'edge')
    host.client.wait_job('edge', Refreshes=1)
    assert host.log().count("'edge': credential refreshed") == 2
