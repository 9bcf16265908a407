# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion, help and manual know the same commands and options; the scripts of the shells work."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from ctl_rig import PROGRAM, SLOW, CtlRig

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'style'))
from manual import items  # noqa: E402


@pytest.fixture
def rig():
    made = CtlRig()
    try:
        yield made
    finally:
        made.close()


def words(rig, *typed):
    ran = rig.ctl('completion', 'words', '--', *typed)
    assert (ran.returncode, ran.stderr) == (0, '')
    return [line.split('\t')[0] for line in ran.stdout.splitlines()]


def helped(text, pattern):
    return re.findall(pattern, text, re.MULTILINE)


def test_help_completion_and_manual_know_the_same_commands(rig, request):
    path = request.config.rootpath / 'man' / 'pullauthctl.1.rst'
    explained = [name for item in items(str(path), path.read_text(encoding='utf-8'))
                 if item.section.startswith('COMMANDS') for name in item.names if re.fullmatch('[a-z-]+', name)]
    completed = words(rig, '')
    assert len(completed) > 20
    assert sorted(completed) == sorted(helped(rig.ctl('--help').stdout, r'^  ([a-z][a-z-]*) ')) == sorted(explained)


def test_help_completion_and_manual_know_the_same_options(rig, request):
    path = request.config.rootpath / 'man' / 'pullauthctl.1.rst'
    explained = {name.rstrip('=') for item in items(str(path), path.read_text(encoding='utf-8'))
                 if item.section.startswith('OPTIONS') for name in item.names if name.startswith('--')}
    known = set()
    for verb in words(rig, ''):
        shown = set(helped(rig.ctl('help', verb).stdout, r'^ +(?:-h )?(--[a-z-]+)'))
        assert shown == {word.rstrip('=') for word in words(rig, verb, '--')}, verb
        known |= shown
    assert known == explained


def test_each_shell_has_its_script(rig):
    for shell in ('bash', 'zsh', 'fish'):
        ran = rig.ctl('completion', shell)
        assert ran.returncode == 0 and 'completion words --' in ran.stdout
    assert rig.ctl('completion', 'tcsh').returncode == 2


def in_shell(rig, tmp_path, shell, script):
    """Runs a script with the tool in the path and $script naming the completion of that shell."""
    os.symlink(os.path.abspath(PROGRAM), tmp_path / 'pullauthctl')
    (tmp_path / 'script').write_text(rig.ctl('completion', shell).stdout)
    environment = rig.environment({'PATH': f'{tmp_path}:/usr/bin:/bin', 'script': str(tmp_path / 'script'),
                                   'HOME': str(tmp_path)})
    ran = subprocess.run([shell, *(['--norc'] if shell == 'bash' else []), '-c', script], env=environment,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding='utf-8', timeout=60 * SLOW)
    return ran.stdout.split()


@pytest.mark.parametrize('line, expected', [
    ('pullauthctl stat', ['status']), ('pullauthctl list --col', ['--color=']),
    ('pullauthctl list --color=al', ['always']), ('pullauthctl add x OnExpiry=', ['withdraw', 'retain']),
    ('pullauthctl render ', ['system', 'podman'])])
def test_bash_completes(rig, tmp_path, line, expected):
    script = f'. "$script"; compopt() {{ :; }}; COMP_LINE=\'{line}\'; COMP_POINT=${{#COMP_LINE}}; _pullauthctl; ' \
             'echo "${COMPREPLY[@]}"'
    found = in_shell(rig, tmp_path, 'bash', script)
    assert found[:len(expected)] == expected


@pytest.mark.skipif(not shutil.which('fish'), reason='there is no fish')
def test_fish_completes(rig, tmp_path):
    script = 'source $script; complete --do-complete "pullauthctl list --color=al"'
    assert in_shell(rig, tmp_path, 'fish', script)[0] == '--color=always'
    os.unlink(tmp_path / 'pullauthctl')
    assert 'status' in in_shell(rig, tmp_path, 'fish', 'source $script; complete --do-complete "pullauthctl stat"')


@pytest.mark.skipif(not shutil.which('zsh'), reason='there is no zsh')
def test_zsh_takes_the_script(rig, tmp_path):
    script = 'autoload -U compinit; compinit -D -u; . $script; echo $_comps[pullauthctl]'
    assert in_shell(rig, tmp_path, 'zsh', script) == ['_pullauthctl']
