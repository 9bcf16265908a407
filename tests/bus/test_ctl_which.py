# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauthctl which and targets: what the tools of a host take, on a host whose daemon publishes."""

import base64
import json
import os
import pwd

import pytest
from rig import DAEMON_UID, ROOT, STRANGER_UID, Host, program

UNIT = 'run/containers/0/auth.json'
IMAGE = 'quay.example.com/acme/app:1'


def entry(user):
    return {'auth': base64.b64encode(f'{user}:of-somebody-else'.encode()).decode()}


@pytest.fixture
def host():
    made = Host().standard()
    try:
        for name in ('podman', 'kubelet', 'docker'):
            made.write(f'usr/bin/{name}', '')
        yield made
    finally:
        made.close()


def ctl(host, *arguments, uid=0):
    """As root unless it says otherwise. The environment of the rig has no HOME: the shell's is that of the user."""
    ran = host.ctl(arguments[0], f'--root={host.root}', *arguments[1:], uid=uid if ROOT else DAEMON_UID)
    assert 'of-somebody-else' not in ran.stdout + ran.stderr
    return ran


def asked(host, *arguments, uid=0):
    ran = ctl(host, *arguments, '--json', uid=uid)
    assert ran.stderr == ''
    return ran.returncode, json.loads(ran.stdout)


def add(host, path, **members):
    content = json.loads(host.read(path)) if os.path.exists(host.path(path)) else {}
    for name, value in members.items():
        content.setdefault(name, {}).update(value)
    host.write(path, json.dumps(content), mode=0o600)


def test_what_the_daemon_published_is_what_a_unit_takes(host):
    host.start()
    status, (use,) = asked(host, 'which', IMAGE, 'podman-unit')
    assert status == 0
    assert (use['result'], use['user'], use['job'], use['key']) == ('credential', 'acme+edge', 'edge',
                                                                    'quay.example.com/acme')
    assert use['file'] == host.path(UNIT) and use['hint'] == '' and 0 < use['left'] <= 3600
    status, (tool,) = asked(host, 'targets', 'podman-unit')
    assert status == 0 and tool['installed'] and tool['named_by'] == ''
    assert tool['files'][0] == {'path': host.path(UNIT), 'state': 'read', 'keys': 1, 'own': 1, 'message': ''}
    assert [job['job'] for job in tool['jobs']] == ['edge'] and tool['others'] == 0


def test_an_entry_that_stands_before_is_shown_with_the_way_out(host):
    host.start()
    add(host, UNIT, auths={'quay.example.com/acme/app': entry('boss')})
    status, (use,) = asked(host, 'which', IMAGE, 'podman-unit')
    assert status == 3 and (use['user'], use['job']) == ('boss', '')
    assert use['hint'] == f"Remove 'quay.example.com/acme/app' from {host.path(UNIT)}, it stands before job edge"
    assert asked(host, 'which', 'quay.example.com/acme/base', 'podman-unit')[0] == 0
    add(host, UNIT, credHelpers={'quay.example.com': 'other'})
    status, (use,) = asked(host, 'which', IMAGE, 'podman-unit')
    assert status == 3 and use['result'] == 'helper' and use['message'].startswith('docker-credential-other is asked')
    status, (tool,) = asked(host, 'targets', 'podman-unit')
    assert status == 3 and tool['files'][0]['keys'] == 2 and tool['files'][0]['own'] == 1


def test_a_tool_that_no_target_reaches_is_told_of(host):
    host.start()
    status, (use,) = asked(host, 'which', IMAGE, 'kubelet')
    assert status == 3 and use['result'] == 'none'
    assert use['hint'] == "pullauthctl set edge Targets='system podman kubelet'"
    status, (use,) = asked(host, 'which', IMAGE, 'bootc')
    assert status == 3 and use['result'] == 'none'
    assert use['hint'] == "pullauthctl set edge Targets='system podman bootc'"
    status, (use,) = asked(host, 'which', 'other.example.com/a/b', 'podman-unit')
    assert status == 3 and use['hint'] == 'No job serves it: pullauthctl add JOB Registry=other.example.com Robot=ROBOT'
    status, (tool,) = asked(host, 'targets', 'kubelet')
    assert status == 0 and tool['others'] == 1 and tool['jobs'] == []


def test_a_job_that_publishes_elsewhere_is_told_how(host):
    host.job(more='Targets=system\n')
    host.start()
    _, (use,) = asked(host, 'which', IMAGE, 'podman-unit')
    assert use['hint'] == "pullauthctl set edge Targets='system podman'"


def test_a_broken_file_fails_every_image(host):
    host.start()
    host.write('root/.config/containers/auth.json', '')
    status, (use,) = asked(host, 'which', 'other.example.com/a/b', 'podman-unit')
    assert status == 3 and use['result'] == 'broken'
    assert use['message'] == ('It fails, whatever the image: '
                              f'{host.path("root/.config/containers/auth.json")}:1:1: empty')
    # What stands before it is found before it.
    assert asked(host, 'which', IMAGE, 'podman-unit')[0] == 0
    assert asked(host, 'targets', 'podman-unit')[0] == 3


def test_the_advice_is_for_whoever_asks(host):
    host.job(more='Targets=system\n')
    host.start()
    for user, hint in (('root', "pullauthctl set edge Targets='system podman'"),
                       ('nobody', "Add 'user:nobody' to Targets= in a file of the job: pullauthctl edit edge")):
        _, (use,) = asked(host, 'which', IMAGE, 'podman-shell', f'--user={user}')
        assert use['hint'] == hint


def test_a_target_for_hosts_alone_is_the_jobs_too(host):
    """As the target `docker`, which only root can have in a home of root."""
    host.write('etc/pullauth/targets/host.target', '[Target]\nPath=/run/containers/0/auth.json\nKeys=registry\n')
    host.write('etc/pullauth/targets/podman.target', '[Target]\nPath=/run/containers/unused.json\n')
    host.job(more='Targets=host\n')
    os.makedirs(host.path('run/containers/0'), exist_ok=True)
    os.chown(host.path('run/containers/0'), DAEMON_UID, DAEMON_UID)
    host.start()
    status, (use,) = asked(host, 'which', IMAGE, 'podman-unit')
    assert (status, use['job'], use['key']) == (0, 'edge', 'quay.example.com')
    _, (tool,) = asked(host, 'targets', 'podman-unit')
    assert (tool['files'][0]['keys'], tool['files'][0]['own']) == (1, 1)


@pytest.mark.skipif(not ROOT, reason='only root can be somebody else')
def test_who_may_not_read_a_file_is_told_so(host):
    host.start()
    status, (use,) = asked(host, 'which', IMAGE, 'podman-unit', uid=STRANGER_UID)
    assert status == 3 and use['result'] == 'unknown' and use['file'] == host.path(UNIT)
    assert use['hint'] == f'Ask as root, or as the user that {host.path(UNIT)} belongs to'
    status, (tool,) = asked(host, 'targets', 'podman-unit', uid=STRANGER_UID)
    assert tool['files'][0]['state'] == 'unknown'
    # A file that belongs to his own shell is broken, for his tools cannot read it either.
    path = f'run/containers/{STRANGER_UID}/auth.json'
    host.write(path, '{}', mode=0o600)
    status, (use,) = asked(host, 'which', IMAGE, 'podman-shell', uid=STRANGER_UID)
    assert status == 3 and use['result'] == 'broken' and use['file'] == host.path(path)


def test_it_works_without_the_daemon(host):
    add(host, UNIT, auths={'quay.example.com/acme': entry('acme+edge')})
    ran = ctl(host, 'which', IMAGE, 'podman-unit')
    assert (ran.returncode, ran.stderr) == (0, '')
    assert 'podman-unit: acme+edge\n' in ran.stdout and 'pullauthd is not running' in ran.stdout
    host.bus.close()
    assert ctl(host, 'which', IMAGE, 'podman-unit').stdout == ran.stdout
    assert ctl(host, 'targets').returncode == 0


def test_tools_that_are_installed_are_meant_unless_they_are_named(host):
    tools = {tool['name']: tool['installed'] for tool in asked(host, 'targets', '--all')[1]}
    assert [name for name, there in tools.items() if there] == ['podman-unit', 'podman-shell', 'kubelet', 'docker']
    assert 'bootc' in tools
    assert [tool['name'] for tool in asked(host, 'targets')[1]] == ['podman-unit', 'podman-shell', 'kubelet', 'docker']
    assert [use['tool'] for use in asked(host, 'which', IMAGE, 'skopeo', 'bootc')[1]] == ['podman-unit', 'podman-shell',
                                                                                        'bootc']


def test_a_setting_names_the_file_of_a_tool(host):
    host.job(more='Targets=system podman crio\n')
    os.makedirs(host.path('etc/crio'))
    os.chown(host.path('etc/crio'), DAEMON_UID, DAEMON_UID)
    host.start()
    _, (use,) = asked(host, 'which', IMAGE, 'crio')
    assert (use['result'], use['job'], use['file']) == ('credential', 'edge', host.path(UNIT))
    host.write('etc/crio/crio.conf', '[crio.image]\nglobal_auth_file = "/nowhere"\n')
    host.write('etc/crio/crio.conf.d/50-x.conf', "[crio.image]\nglobal_auth_file = '/etc/crio/pullauth.json'\n")
    _, (use,) = asked(host, 'which', IMAGE, 'crio')
    assert (use['result'], use['job'], use['file']) == ('credential', 'edge', host.path('etc/crio/pullauth.json'))
    _, (tool,) = asked(host, 'targets', 'crio')
    assert tool['named_by'] == 'crio.image.global_auth_file' and len(tool['files']) == 1
    ran = ctl(host, 'targets', 'crio')
    assert 'crio.image.global_auth_file names this file; no other is read' in ran.stdout


def test_a_setting_that_is_missing_is_advised(host):
    host.job(more='Targets=system image-builder\n')
    os.makedirs(host.path('etc/osbuild-worker'))
    os.chown(host.path('etc/osbuild-worker'), DAEMON_UID, DAEMON_UID)
    host.start()
    status, (use,) = asked(host, 'which', IMAGE, 'image-builder')
    assert status == 3 and use['hint'] == ('Let containers.auth_file_path in /etc/osbuild-worker/osbuild-worker.toml '
                                           "name the file of target 'image-builder'")


def test_where_an_image_is_pulled_from_counts(host):
    host.write('etc/containers/registries.conf.d/m.conf',
               '[[registry]]\nprefix = "short.example.com"\nlocation = "quay.example.com/acme"\n'
               '[[registry.mirror]]\nlocation = "mirror.example.com"\n')
    host.start()
    status, (use,) = asked(host, 'which', 'short.example.com/app', 'podman-unit')
    assert status == 0 and use['sources'] == ['mirror.example.com/app', 'quay.example.com/acme/app']
    assert (use['image'], use['job'], use['key']) == ('short.example.com/app', 'edge', 'quay.example.com/acme')
    ran = ctl(host, 'which', 'short.example.com/app', 'podman-unit')
    assert 'mirror.example.com/app, then quay.example.com/acme/app; this is about the last one' in ran.stdout
    assert asked(host, 'which', 'short.example.com/app', 'kubelet')[1][0]['sources'] == []
    assert asked(host, 'which', IMAGE, 'podman-unit')[1][0]['sources'] == []


def redirect(location):
    return f'[[registry]]\nprefix = "short.example.com"\nlocation = "{location}"\n'


@pytest.mark.skipif(not ROOT, reason='only root can be somebody else')
def test_registries_of_a_user_take_the_place_of_those_of_the_system(host):
    """A file of his alone counts, drop-ins of his come last; and nothing of it is for services."""
    own = f'{pwd.getpwuid(STRANGER_UID).pw_dir[1:]}/.config/containers/registries.conf'
    host.write('etc/containers/registries.conf', redirect('system.example.com'))
    host.write('etc/containers/registries.conf.d/m.conf', redirect('dropin.example.com'))
    host.start()

    def pulled_from(tool='podman-shell', uid=STRANGER_UID, **environment):
        command = [program(host.directory, 'pullauthctl'), 'which', f'--root={host.root}', '--json',
                   'short.example.com/app', tool]
        ran = host.run_as(uid, 'env', *(f'{name}={value}' for name, value in environment.items()), *command)
        assert ran.stderr == ''
        return json.loads(ran.stdout)[0]['sources']

    assert pulled_from() == ['dropin.example.com/app']
    host.write(f'{own}.d/u.conf', redirect('mine.example.com'))
    assert pulled_from() == ['mine.example.com/app']
    host.write(own, 'credential-helpers = ["mine"]\n')
    assert pulled_from() == ['mine.example.com/app']
    os.unlink(host.path(f'{own}.d/u.conf'))
    assert pulled_from() == [] and pulled_from('podman-unit') == ['dropin.example.com/app']
    assert ctl(host, 'targets', 'podman-shell', uid=STRANGER_UID).stdout.count('mine') == 1
    host.write('named.conf', redirect('named.example.com'))
    os.unlink(host.path('etc/containers/registries.conf.d/m.conf'))
    named = {'CONTAINERS_REGISTRIES_CONF': '/named.conf'}
    assert pulled_from(**named) == ['named.example.com/app']
    assert pulled_from('podman-unit', **named) == ['system.example.com/app']
    host.write('root/.config/containers/registries.conf', redirect('root.example.com'))
    assert pulled_from('podman-unit', uid=0) == pulled_from('bootc', uid=0) == ['root.example.com/app']


def test_settings_that_make_no_sense_are_told_of(host):
    path = host.write('etc/containers/registries.conf', '[[registry]]\nprefix = short\n[')
    host.start()
    ran = ctl(host, 'which', IMAGE, 'podman-unit')
    assert ran.returncode == 3 and ran.stderr == (f'pullauthctl: {path}:3: no key where one should be; '
                                                  'tools that read this file fail, ignoring\n')
    assert 'podman-unit: acme+edge of job edge' in ran.stdout
    # What does not go by that file is not bothered.
    assert ctl(host, 'targets', 'docker').stderr == ''
    os.unlink(path)
    os.makedirs(host.path('etc/containers/registries.conf.d/a.conf'))
    hidden = host.write('etc/containers/registries.conf.d/.b.conf', 'x')
    assert ctl(host, 'which', IMAGE, 'podman-unit').stderr.startswith(f'pullauthctl: {hidden}:1: ')
    os.unlink(hidden)
    os.mkfifo(hidden)
    ran = ctl(host, 'which', IMAGE, 'podman-unit')
    assert ran.returncode == 3 and ran.stderr == f'pullauthctl: {hidden}: no regular file, ignoring\n'


def odd_pipe(path):
    os.mkfifo(path)


def odd_directory(path):
    os.mkdir(path)


def odd_link(path):
    os.symlink(os.path.basename(path), path)


def odd_size(path):
    with open(path, 'wb') as file:
        file.truncate((16 << 20) + 1)


def odd_text(text):
    def make(path):
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
    return make


ODD = {
    'pipe': (odd_pipe, 'unknown', 'It depends on this file: FILE: no regular file, which is not read here'),
    'size': (odd_size, 'unknown', 'It depends on this file: FILE: larger than 16 MiB, which is not read here'),
    'directory': (odd_directory, 'broken', 'It fails, whatever the image: FILE: Is a directory'),
    'link': (odd_link, 'broken', 'It fails, whatever the image: FILE: Too many levels of symbolic links'),
    'twice': (odd_text('{"auths":{},"auths":{}}'), 'broken',
              'Tools take one of two that are the same, or fail: FILE:1:13: duplicate key'),
    'number': (odd_text('{"auths":{"other.example.com":{"auth":5}}}'), 'broken',
               'It fails, whatever the image: FILE:1:39: not a string'),
}


@pytest.mark.parametrize('kind', ODD)
def test_what_is_odd_in_the_place_of_a_file_is_named(host, kind):
    make, result, message = ODD[kind]
    os.makedirs(host.path('run/containers/0'))
    make(host.path(UNIT))
    status, (use,) = asked(host, 'which', IMAGE, 'podman-unit')
    assert (status, use['result'], use['message']) == (3, result, message.replace('FILE', host.path(UNIT)))
    assert (use['hint'] != '') == (result == 'broken')
    shown = ctl(host, 'targets', 'podman-unit').stdout
    assert f'Files: {message.split(": ", 1)[1].replace("FILE", host.path(UNIT))}' in shown


def test_a_file_in_the_place_of_a_directory_is_named(host):
    os.rmdir(host.path('run/containers'))
    host.write('run/containers', '')
    status, (use,) = asked(host, 'which', IMAGE, 'podman-unit')
    assert (status, use['result']) == (3, 'broken')
    assert use['hint'] == f'Remove what stands in the place of a directory in {host.path(UNIT)}'


def test_a_root_that_is_none_is_refused(host):
    for verb, *more in (('targets',), ('which', IMAGE)):
        ran = host.ctl(verb, f'--root={host.root}/nowhere', *more)
        assert (ran.returncode, ran.stdout) == (1, '')
        assert 'Cannot read the directory of --root=: No such file or directory' in ran.stderr


def test_programs_of_registries_conf_come_before_the_files(host):
    host.write('etc/containers/registries.conf', 'credential-helpers = [\n  "other",\n  "containers-auth.json"]\n')
    host.start()
    status, (use,) = asked(host, 'which', IMAGE, 'podman-unit')
    assert (status, use['result'], use['file'], use['job']) == (3, 'helper', '', '')
    assert use['message'].startswith('docker-credential-other is asked: credential-helpers in registries.conf name it')
    assert 'credential-helpers in registries.conf, or job edge does nothing here' in use['hint']
    status, (tool,) = asked(host, 'targets', 'podman-unit')
    assert status == 3 and tool['helpers'] == ['other', 'containers-auth.json']
    status, (tool,) = asked(host, 'targets', 'kubelet')
    assert status == 0 and tool['helpers'] == []
    host.write('etc/containers/registries.conf.d/p.conf', 'credential-helpers = ["pull\\U00000061uth"]\n')
    status, (use,) = asked(host, 'which', IMAGE, 'podman-unit')
    assert (status, use['result'], use['job'], use['hint']) == (0, 'helper', 'edge', '') and use['left'] > 0
    assert asked(host, 'targets', 'podman-unit')[0] == 0
    assert 'podman-unit: a program is asked, for job edge, ' in ctl(host, 'which', IMAGE, 'podman-unit').stdout


def test_the_engine_of_podman_is_told_of_a_file(host):
    host.write('etc/containers/containers.conf', '[engine]\nenv = ["REGISTRY_AUTH_FILE=/etc/containers/auth.json"]\n')
    host.job(more='Targets=system\n')
    host.start()
    for tool in ('podman-unit', 'podman-shell'):
        status, (use,) = asked(host, 'which', IMAGE, tool)
        assert (status, use['job'], use['file']) == (0, 'edge', host.path('etc/containers/auth.json'))
        _, (shown,) = asked(host, 'targets', tool)
        assert shown['named_by'] == '[engine] env in containers.conf' and len(shown['files']) == 1
    assert 'no other is read, but by skopeo' in ctl(host, 'targets', 'podman-unit').stdout


@pytest.mark.skipif(not ROOT, reason='only root can be somebody else')
def test_settings_in_a_home_that_one_may_not_enter_are_not_missed(host):
    """No more than the files there, which are unknown; but those that his own tools, too, would read."""
    host.write('root/.config/containers/containers.conf', '')
    os.chmod(host.path('root'), 0o700)
    home = pwd.getpwuid(STRANGER_UID).pw_dir[1:]
    drop_ins = os.path.dirname(host.write('etc/containers/containers.conf.d/a.conf', ''))
    for tool in ('podman-unit', 'podman-shell', 'docker'):
        assert asked(host, 'targets', tool, uid=STRANGER_UID)[0] == 0
    assert ctl(host, 'targets', 'podman-shell', '--user=root', uid=STRANGER_UID).stderr == ''
    hidden = host.write(f'{home}/.config/containers/containers.conf', '', mode=0o600)
    ran = ctl(host, 'targets', 'podman-unit', 'podman-shell', uid=STRANGER_UID)
    assert (ran.returncode, ran.stderr) == (3, f'pullauthctl: {hidden}: Permission denied, ignoring\n')
    os.unlink(hidden)
    os.chmod(drop_ins, 0o700)
    ran = ctl(host, 'targets', 'podman-unit', uid=STRANGER_UID)
    assert (ran.returncode, ran.stderr) == (3, f'pullauthctl: {drop_ins}: Permission denied, ignoring\n')


@pytest.mark.skipif(not ROOT, reason='only root can be somebody else')
def test_settings_of_a_user_write_nothing_to_a_terminal(host):
    home = pwd.getpwuid(STRANGER_UID).pw_dir[1:]
    host.write(f'{home}/.config/containers/containers.conf',
               '[engine]\nenv = ["REGISTRY_AUTH_FILE=/x\\u001b]0;t\\u0007"]\n')
    host.write(f'{home}/.config/containers/containers.conf.d/a\x1b[2J.conf', '[')
    for verb, *more in (('targets',), ('which', IMAGE)):
        ran = ctl(host, verb, *more, 'podman-shell', '--user=nobody')
        assert ran.returncode == 3 and 'containers.conf.d/a?[2J.conf:1: ' in ran.stderr
        assert not set(ran.stdout + ran.stderr) & {'\x1b', '\x07'}
    assert 'Files: ' + host.path('x?]0;t?') in ctl(host, 'targets', 'podman-shell', '--user=nobody').stdout


def test_what_is_no_image_tool_or_user_is_refused(host):
    for arguments, text in ((('which', '/a'), 'That is no reference of an image'),
                            (('which', IMAGE, 'bootcc'), "There is no tool 'bootcc', did you mean 'bootc'?"),
                            (('targets', 'zzz'), "There is no tool 'zzz', 'pullauthctl targets --all' shows"),
                            (('targets', '--user=no-such-user'), 'There is no user')):
        ran = ctl(host, *arguments)
        assert (ran.returncode, ran.stdout) == (2, '') and text in ran.stderr


def test_the_shell_of_a_user_is_looked_into(host):
    add(host, 'run/user/0/containers/auth.json', auths={'quay.example.com': entry('root-by-hand')})
    _, (use,) = asked(host, 'which', IMAGE, 'podman-shell', '--user=root')
    assert (use['user'], use['file']) == ('root-by-hand', host.path('run/user/0/containers/auth.json'))
