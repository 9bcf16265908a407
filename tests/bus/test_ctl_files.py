# SPDX-License-Identifier: LGPL-2.1-or-later
"""pullauthctl: commands about configuration files (check, cat, edit)."""

import json
import os
import stat

import pytest
from ctl_rig import CtlRig, needs_spawn_errors

JOB = '[Job]\nRegistry=quay.example.com\nRobot=acme+edge\n'
IDENTITY = '[Identity]\nSource=file\nTokenFile=/t\nAudience=quay\n'


class Tree:
    """Files below a directory, and the tool with --root= there."""

    def __init__(self, rig, root):
        self.rig, self.root = rig, str(root)
        os.chmod(self.root, 0o755)
        self.write('etc/pullauth/jobs/edge.job', JOB)
        self.write('etc/pullauth/identities/default.identity', IDENTITY)

    def path(self, path):
        return os.path.join(self.root, path)

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(path)), 0o755, exist_ok=True)
        with open(self.path(path), 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(self.path(path), mode)
        return self.path(path)

    def read(self, path):
        with open(self.path(path), encoding='utf-8') as file:
            return file.read()

    def editor(self, script):
        """A program that is an editor; $1 is the file."""
        self.write('editor', f'#!/bin/sh\ncat "$1" > {self.path("seen")}\n{script}\n', 0o755)
        return {'EDITOR': self.path('editor')}

    def ctl(self, *arguments, **environment):
        return self.rig.ctl(f'--root={self.root}', *arguments, **environment)

    def everything(self):
        return sorted(os.path.relpath(os.path.join(base, name), self.root)
                      for base, _, names in os.walk(self.path('etc')) for name in names)


@pytest.fixture
def tree(tmp_path):
    rig = CtlRig()
    try:
        yield Tree(rig, tmp_path)
    finally:
        rig.close()


BAD = '[Job]\nRegistry=quay.example.com\nRobto=acme+x\nScopes=//\n'


def test_a_tree_without_faults_passes(tree):
    ran = tree.ctl('check')
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, '2 files, nothing is wrong\n', '')
    assert tree.ctl('check', '--no-legend').stdout == ''


def test_each_fault_has_its_place_and_fails_the_build(tree):
    path = tree.write('etc/pullauth/jobs/bad.job', BAD)
    tree.write('etc/pullauth/jobs/lost.job', JOB.replace('edge', 'lost') + 'Identity=none\nTargets=systemm\n')
    ran = tree.ctl('check', '--no-legend')
    assert ran.returncode == 3
    lines = ran.stdout.splitlines()
    assert f"{path}:3: warning: Unknown key 'Robto' in section [Job] (did you mean 'Robot'?), ignoring" in lines
    assert any(line.startswith(f"{path}:4: error: '//' in Scopes=") for line in lines)
    assert any(line.startswith(f'{path}: error: Robot= is missing') for line in lines)
    assert any("lost.job: error: There is no target 'systemm'" in line for line in lines)
    found = json.loads(tree.ctl('check', '--json').stdout)
    assert {'severity': 'warning', 'line': 3, 'file': path,
            'text': "Unknown key 'Robto' in section [Job] (did you mean 'Robot'?), ignoring"} in found


def test_warnings_fail_where_that_is_wanted(tree):
    tree.write('etc/pullauth/jobs/edge.job', JOB + 'Nonsense=1\n')
    assert [tree.ctl('check', *more).returncode for more in ([], ['--strict'])] == [0, 3]


def test_an_unsafe_file_is_a_fault(tree):
    tree.write('etc/pullauth/jobs/edge.job', JOB, 0o666)
    ran = tree.ctl('check')
    assert ran.returncode == 3 and 'must not be writable by group or others' in ran.stdout


def test_a_tree_that_is_not_there_is_not_all_right(tree):
    ran = tree.rig.ctl('check', f'--root={tree.root}/nothing')
    assert (ran.returncode, ran.stdout) == (1, '')
    os.makedirs(tree.path('empty'))
    ran = tree.rig.ctl('check', f'--root={tree.root}/empty')
    assert (ran.returncode, ran.stdout) == (0, 'There are no files\n')


def test_files_are_checked_by_themselves(tree):
    bad = tree.write('somewhere/bad.job', BAD)
    drop_in = tree.write('somewhere/edge.job.d/10-x.conf', '[Job]\nTakeOver=perhaps\n')
    good = tree.write('somewhere/good.job', JOB + 'Identity=elsewhere\n')
    ran = tree.rig.ctl('check', bad, drop_in, good)
    assert ran.returncode == 3
    assert ran.stdout.splitlines()[-1] == '3 files, 3 errors, 1 warning'
    assert f'{drop_in}:2: error: TakeOver=perhaps is not a boolean, use yes or no\n' in ran.stdout
    assert tree.rig.ctl('check', good, '--no-legend').stdout == ''


def test_what_is_no_file_of_ours_is_told_of(tree):
    ran = tree.rig.ctl('check', '/etc/passwd', tree.path('nothing.job'))
    assert ran.returncode == 1
    assert "'/etc/passwd' is called like no file of pullauthd" in ran.stderr
    assert "nothing.job' cannot be read: No such file or directory" in ran.stderr


def test_files_are_shown_in_the_order_in_which_they_count(tree):
    main = tree.path('etc/pullauth/jobs/edge.job')
    drop_in = tree.write('usr/lib/pullauth/jobs/edge.job.d/10-x.conf', '[Job]\nScopes=acme/x')
    ran = tree.ctl('cat', 'edge', 'default.identity')
    assert ran.returncode == 0
    assert ran.stdout == (f'# {main}\n{JOB}\n# {drop_in}\n[Job]\nScopes=acme/x\n\n'
                          f'# {tree.path("etc/pullauth/identities/default.identity")}\n{IDENTITY}')


def test_a_file_that_is_not_there_may_be_another(tree):
    ran = tree.ctl('cat', 'edgee')
    assert (ran.returncode, ran.stdout) == (4, '')
    assert ran.stderr == "pullauthctl: There is no file edgee.job, did you mean 'edge.job'?\n"
    assert tree.ctl('cat', '../x').returncode == 4


def test_no_escape_sequence_comes_out_of_a_file(tree):
    tree.write('etc/pullauth/jobs/edge.job', JOB + '# \033]0;x\007 \x9b31m\n')
    assert '\033' not in tree.ctl('cat', 'edge').stdout


# edit

OVERRIDE = 'etc/pullauth/jobs/edge.job.d/override.conf'


def test_a_drop_in_is_written_after_the_editor(tree):
    ran = tree.ctl('edit', 'edge', **tree.editor('printf "[Job]\\nScopes=acme/x\\n" > "$1"'))
    assert (ran.returncode, ran.stderr) == (0, '')
    assert tree.read(OVERRIDE) == '[Job]\nScopes=acme/x\n'
    assert stat.S_IMODE(os.stat(tree.path(OVERRIDE)).st_mode) == 0o644
    seen = tree.read('seen')
    assert f'becomes {tree.path(OVERRIDE)}\n' in seen and '# Robot=acme+edge\n' in seen
    assert tree.everything() == sorted([OVERRIDE, 'etc/pullauth/jobs/edge.job',
                                        'etc/pullauth/identities/default.identity'])


def test_explanations_do_not_end_in_the_file(tree):
    script = 'sed -i "2a[Job]\\nScopes=acme/y" "$1"'
    assert tree.ctl('edit', 'edge', '--drop-in=50-scopes', **tree.editor(script)).returncode == 0
    assert tree.read('etc/pullauth/jobs/edge.job.d/50-scopes.conf') == '[Job]\nScopes=acme/y\n'


def test_a_file_is_edited_whole_with_full(tree):
    ran = tree.ctl('edit', '--full', 'edge', **tree.editor('sed -i s/acme+edge/acme+other/ "$1"'))
    assert ran.returncode == 0 and 'Robot=acme+other\n' in tree.read('etc/pullauth/jobs/edge.job')


def test_the_vendors_file_is_copied_and_not_touched(tree):
    os.remove(tree.path('etc/pullauth/jobs/edge.job'))
    tree.write('usr/lib/pullauth/jobs/edge.job', JOB)
    tree.ctl('edit', '--full', 'edge', **tree.editor('sed -i s/acme+edge/acme+other/ "$1"'))
    assert 'Robot=acme+other\n' in tree.read('etc/pullauth/jobs/edge.job')
    assert tree.read('usr/lib/pullauth/jobs/edge.job') == JOB


def test_a_new_file_begins_with_a_template(tree):
    ran = tree.ctl('edit', 'new', **tree.editor('true'))
    assert ran.returncode == 4 and ran.stderr == 'pullauthctl: There is no file new.job, --force makes it\n'
    script = 'sed -i "s/^Registry=.*/Registry=q.example/; s/^Robot=.*/Robot=a+b/" "$1"'
    assert tree.ctl('edit', '--force', 'new', **tree.editor(script)).returncode == 0
    assert '\nRegistry=q.example\nRobot=a+b\n' in tree.read('etc/pullauth/jobs/new.job')
    assert tree.ctl('edit', '--force', 'more.identity', **tree.editor('true')).stderr.endswith('Nothing is changed\n')


@pytest.mark.parametrize('script, status, said', [
    ('true', 0, 'Nothing was written, nothing is changed'), (': > "$1"', 0, 'Nothing was written, nothing is changed'),
    ('exit 3', 1, 'The editor ended with status 3, nothing was changed'),
    ('kill -9 $$', 1, 'The editor ended with status 137, nothing was changed')])
def test_without_a_new_text_nothing_is_changed(tree, script, status, said):
    before = tree.everything()
    ran = tree.ctl('edit', 'edge', **tree.editor(script))
    assert (ran.returncode, ran.stdout, ran.stderr) == (status, '', f'pullauthctl: {said}\n')
    assert tree.everything() == before and not os.path.exists(tree.path('etc/pullauth/jobs/edge.job.d'))


@needs_spawn_errors
def test_an_editor_that_is_not_there_is_named(tree):
    ran = tree.ctl('edit', 'edge', EDITOR='/nonexistent/ed -x')
    assert ran.returncode == 1
    assert "The editor '/nonexistent/ed -x' cannot be started: No such file" in ran.stderr
    editor = tree.editor('printf "[Job]\\nScopes=acme/x\\n" > "$1"')['EDITOR']
    assert tree.ctl('edit', 'edge', SYSTEMD_EDITOR=editor, EDITOR='/nonexistent').returncode == 0


def test_what_cannot_work_is_kept_but_not_put_in_place(tree):
    ran = tree.ctl('edit', 'edge', **tree.editor('printf "[Job]\\nTakeOver=perhaps\\n" > "$1"'))
    assert ran.returncode == 3
    assert ran.stdout.endswith('override.conf:2: TakeOver=perhaps is not a boolean, use yes or no\n')
    kept = ran.stderr.split('it is kept in ')[1].strip()
    assert 'TakeOver=perhaps' in tree.read(kept) and not os.path.exists(tree.path(OVERRIDE))


def test_on_a_terminal_it_can_be_edited_once_more(tree):
    script = f'''if [ -e {tree.path("again")} ]; then printf "[Job]\\nTakeOver=yes\\n" > "$1"
        else : > {tree.path("again")}; printf "[Job]\\nTakeOver=perhaps\\n" > "$1"; fi'''
    status, shown = tree.rig.on_terminal(f'--root={tree.root}', 'edit', 'edge', answer='y\n', **tree.editor(script))
    assert status == 0 and 'Edit it once more? [y/N]' in shown
    assert tree.read(OVERRIDE) == '[Job]\nTakeOver=yes\n'


def test_what_lacks_in_another_file_keeps_nobody_from_writing(tree):
    script = 'printf "[Job]\\nIdentity=later\\n" > "$1"'
    ran = tree.ctl('edit', 'edge', **tree.editor(script))
    assert ran.returncode == 0 and tree.read(OVERRIDE) == '[Job]\nIdentity=later\n'
    assert tree.ctl('check').returncode == 3


def test_another_writer_is_not_overwritten(tree):
    path = tree.path('etc/pullauth/jobs/edge.job')
    script = f'printf "%s" "$(cat "$1")" > "$1"; sed -i s/edge$/mine/ "$1"; echo "# theirs" >> {path}'
    ran = tree.ctl('edit', '--full', 'edge', **tree.editor(script))
    assert ran.returncode == 1 and 'Somebody else changed' in ran.stderr
    assert tree.read(path).endswith('# theirs\n')
    assert 'acme+mine' in tree.read(ran.stderr.split('is kept in ')[1].strip())


def test_a_file_that_would_not_count_is_not_written(tree):
    ran = tree.ctl('edit', '--runtime', '--full', 'edge', **tree.editor('echo >> "$1"'))
    assert ran.returncode == 1
    assert ran.stderr.endswith('etc/pullauth/jobs/edge.job is there and wins, edit that without --runtime\n')
    script = 'printf "[Job]\\nScopes=acme/r\\n" > "$1"'
    assert tree.ctl('edit', '--runtime', 'edge', **tree.editor(script)).returncode == 0
    assert tree.read('run/pullauth/jobs/edge.job.d/override.conf') == '[Job]\nScopes=acme/r\n'


def test_a_link_is_not_replaced(tree):
    os.rename(tree.path('etc/pullauth/jobs/edge.job'), tree.path('edge.real'))
    os.symlink(tree.path('edge.real'), tree.path('etc/pullauth/jobs/edge.job'))
    ran = tree.ctl('edit', '--full', 'edge', **tree.editor('echo >> "$1"'))
    assert ran.returncode == 1 and os.path.islink(tree.path('etc/pullauth/jobs/edge.job'))


@pytest.mark.parametrize('arguments', [['edge', '--full', '--drop-in=x'], ['edge', '--drop-in=../x'],
                                       ['edge', '--drop-in=.x']])
def test_drop_ins_have_plain_names(tree, arguments):
    assert tree.ctl('edit', *arguments, **tree.editor('true')).returncode == 2


