# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs that callers make, change, switch on and off, and remove."""

import os
import stat

import pytest
from client import GLib
from edits import (ETC, MANAGER, NEW, RUN, RUNTIME, USR, called, change, create, error, files, lines, refused,
                   refused_change, refused_create, tree, variants)
from rig import DAEMON_UID

# --- CreateJob

def test_a_job_that_is_made_is_like_any_other(edge):
    assert create(edge) == '/org/pullauth1/job/new'
    job = edge.client.wait_job('new', State='fresh', Enabled=True, Runtime=False)
    assert job['Registry'] == 'quay.example.com' and job['Scopes'] == ['quay.example.com/acme/new']
    assert job['Targets'] == ['system', 'podman'] and job['Identity'] == 'default'
    assert job['ConfigurationFiles'] == [edge.path(f'{ETC}/new.job')]
    assert lines(tree(edge)[f'{ETC}/new.job']) == ['[Job]', 'Registry=quay.example.com', 'Robot=acme+new',
                                                   'Scopes=acme/new']
    assert list(edge.auths()) == ['quay.example.com/acme', 'quay.example.com/acme/new']
    edge.client.wait(lambda: {'JobAdded', 'InterfacesAdded'} <= {signal[2] for signal in edge.client.signals},
                     'signals of the new job')
    there = os.stat(edge.path(f'{ETC}/new.job'))
    assert stat.S_IMODE(there.st_mode) == 0o644 and there.st_uid == DAEMON_UID
    assert [request['Job'] for request in edge.worker.requests] == ['edge', 'new'], 'nothing else is touched'
    edge.restart()
    assert edge.client.job('new', 'State') == 'fresh' and len(edge.worker.requests) == 2


def test_every_setting_arrives(edge):
    edge.identity('node')
    edge.reload()
    create(edge, Identity='node', Scopes=['acme/a', 'acme/b'], Targets=['podman'], MinimumRemaining=1800000000,
           OnExpiry='retain', OnRemove='retain', TakeOver=True, WakeSystem=True)
    job = edge.client.wait_job('new', State='fresh')
    assert job['Scopes'] == ['quay.example.com/acme/a', 'quay.example.com/acme/b']
    assert (job['Identity'], job['Targets'], job['MinimumRemaining'], job['OnExpiry'], job['OnRemove'],
            job['TakeOver'], job['WakeSystem']) == \
        ('node', ['podman'], 1800000000, 'retain', 'retain', True, True)


def test_a_runtime_job_survives_the_daemon_and_not_the_boot(edge):
    create(edge, flags=RUNTIME)
    edge.client.wait_job('new', State='fresh', Runtime=True)
    assert files(edge) == [f'{ETC}/edge.job', f'{RUN}/new.job']
    edge.restart()
    assert edge.client.job('new', 'State') == 'fresh' and len(edge.worker.requests) == 2
    edge.stop()
    os.unlink(edge.path(f'{RUN}/new.job'))
    edge.start()
    edge.wait_file('etc/containers/auth.json', lambda: list(edge.auths()) == ['quay.example.com/acme'])
    assert list(edge.client.jobs()) == ['edge']


@pytest.mark.parametrize('settings, name, text', [
    ({'Registry': 'https://quay.example.com'}, 'InvalidArgument', 'is a URL'),
    ({'Registry': ''}, 'InvalidArgument', 'Registry= is missing'),
    ({'Registry': 'quay.example.com\nCAFile=/etc/shadow'}, 'InvalidArgument', 'Registry='),
    ({'Registry': 'a' * 50000}, 'InvalidArgument', 'Registry= is longer'),
    ({'Robot': 'acme'}, 'InvalidArgument', 'organization+robot'),
    ({'Robot': ''}, 'InvalidArgument', 'Robot= is missing'),
    ({'Robot': 'acme+new\\'}, 'InvalidArgument', 'backslashes'),
    ({'Identity': '/etc/passwd'}, 'InvalidArgument', 'Identity='),
    ({'Identity': 'nobody'}, 'NoSuchIdentity', "no identity 'nobody'"),
    ({'Targets': ['nowhere']}, 'NoSuchTarget', "no target 'nowhere'"),
    ({'Targets': ['/etc/shadow']}, 'InvalidArgument', 'Targets='),
    ({'Targets': ['system podman']}, 'InvalidArgument', 'Targets='),
    ({'Scopes': ['acme']}, 'ConfigurationInvalid', "belongs to job 'edge'"),
    ({'Scopes': ['Acme']}, 'InvalidArgument', "'Acme' in Scopes="),
    ({'Scopes': ['']}, 'InvalidArgument', 'Scopes='),
    ({'Scopes': [f'acme/{n}' for n in range(65)]}, 'InvalidArgument', 'more than 64'),
    ({'Scopes': [f'acme/{n}' for n in range(5000)]}, 'InvalidArgument', 'Scopes= is longer'),
    ({'MinimumRemaining': 1}, 'InvalidArgument', 'between 1s and'),
    ({'MinimumRemaining': 2**64 - 1}, 'InvalidArgument', 'MinimumRemaining='),
    ({'OnExpiry': 'explode'}, 'InvalidArgument', 'neither withdraw nor retain'),
])
def test_a_job_that_could_not_work_is_not_made(edge, settings, name, text):
    found, said = refused_create(edge, **settings)
    assert found == name and text in said
    assert edge.root not in said, 'a file that there is not yet is of no use to anybody'


def test_keys_types_and_flags_are_checked(edge):
    def settings(**more):
        return 'sa{sv}t', 'new', {**variants(NEW), **more}, 0
    for key in ('CAFile', 'Proxy', 'TokenFile', 'Colour', '', 'registry', 'X-Mine', 'a' * 50000):
        name, text = refused(edge, 'CreateJob', *settings(**{key: GLib.Variant('s', '/x')}))
        assert name == 'InvalidArgument' and 'Registry, Robot,' in text and len(text) < 500
    assert 'EnableJob()' in refused(edge, 'CreateJob', *settings(Enabled=GLib.Variant('b', False)))[1]
    for key, value in {'Scopes': GLib.Variant('s', 'acme'), 'TakeOver': GLib.Variant('s', 'yes'),
                       'MinimumRemaining': GLib.Variant('u', 60), 'Robot': GLib.Variant('as', ['acme+new'])}.items():
        name, text = refused(edge, 'CreateJob', *settings(**{key: value}))
        assert name == 'InvalidArgument' and f'{key}= is of the D-Bus type' in text
    for flags in (2, 1 << 63):
        assert refused_create(edge, flags=flags)[0] == 'InvalidArgument'
    for name in ('', '../new', 'a b', 'x' * 65, 'é'):
        assert refused_create(edge, name)[0] == 'InvalidName'


def test_the_same_key_twice_is_refused(edge):
    result = edge.busctl('call', 'org.pullauth1', '/org/pullauth1', MANAGER, 'CreateJob', 'sa{sv}t', 'new', '3',
                         'Registry', 's', 'quay.example.com', 'Robot', 's', 'acme+new', 'Robot', 's', 'acme+other', '0',
                         uid=os.geteuid())
    assert 'given twice' in result.stderr


def test_a_name_is_taken_by_whatever_stands_there(edge):
    assert refused_create(edge, 'edge')[0] == 'JobExists'
    for top in (ETC, RUN, USR):
        edge.write(f'{top}/new.job', '[Job]\nRobot=acme+theirs\n')
        name, text = refused_create(edge)
        assert name == 'JobExists' and f'{top}/new.job' in text and 'pullauthctl reload' in text
        os.unlink(edge.path(f'{top}/new.job'))
    for place in ('/dev/null', edge.path(f'{ETC}/edge.job'), 'nowhere'):
        os.symlink(place, edge.path(f'{ETC}/new.job'))
        assert refused_create(edge)[0] == 'NotChangeable'
        assert refused_create(edge, flags=RUNTIME)[0] == 'NotChangeable'
        os.unlink(edge.path(f'{ETC}/new.job'))
    os.mkdir(edge.path(f'{ETC}/new.job'))
    assert refused_create(edge)[0] == 'NotChangeable'
    os.rmdir(edge.path(f'{ETC}/new.job'))
    for top in (ETC, RUN):
        edge.write(f'{top}/new.job.d/10-old.conf', '[Job]\nProxy=http://left.over:1\n')
        name, text = refused_create(edge)
        assert name == 'NotChangeable' and '10-old.conf' in text and 'remove that directory' in text
        called(edge, 'RemoveJob', 's', 'new')
        assert not os.path.exists(edge.path(f'{top}/new.job.d'))
    create(edge)


def test_complaints_about_drop_ins_without_a_job_end_with_the_job(edge):
    edge.write(f'{USR}/new.job.d/10-vendor.conf', '[Job]\nTakeOver=yes\n')
    edge.reload()
    assert len(edge.client.manager('ConfigurationMessages')) == 1
    create(edge)
    assert edge.client.manager('ConfigurationMessages') == []
    assert edge.client.job('new', 'TakeOver') is True


def test_what_a_vendors_drop_in_says_last_is_not_overruled(edge):
    edge.write(f'{USR}/new.job.d/10-vendor.conf', '[Job]\nRobot=acme+vendor\nScopes=acme/more\n')
    name, text = refused_create(edge)
    assert name == 'NotChangeable' and '10-vendor.conf:2' in text and 'Robot=' in text


# --- ChangeJob

def test_a_change_stands_in_a_drop_in_and_counts_at_once(edge):
    main = edge.read(f'{ETC}/edge.job')
    change(edge, Scopes=['acme/app'], TakeOver=True)
    job = edge.client.wait_job('edge', State='fresh', Scopes=['quay.example.com/acme/app'], TakeOver=True)
    assert job['ConfigurationFiles'] == [edge.path(f'{ETC}/edge.job'), edge.path(f'{ETC}/edge.job.d/50-bus.conf')]
    assert list(edge.auths()) == ['quay.example.com/acme/app']
    assert len(edge.worker.requests) == 1, 'other scopes need no other credential'
    change(edge, Robot='acme+else', TakeOver=False)
    edge.client.wait_job('edge', State='fresh', Robot='acme+else', TakeOver=False,
                         Scopes=['quay.example.com/acme/app'])
    assert lines(tree(edge)[f'{ETC}/edge.job.d/50-bus.conf']) == \
        ['[Job]', 'Robot=acme+else', 'Scopes=', 'Scopes=acme/app', 'TakeOver=no']
    assert edge.read(f'{ETC}/edge.job') == main
    for path, mode in {f'{ETC}/edge.job.d': 0o755, f'{ETC}/edge.job.d/50-bus.conf': 0o644}.items():
        assert stat.S_IMODE(os.stat(edge.path(path)).st_mode) == mode
    edge.restart()
    assert edge.client.job('edge', 'Robot') == 'acme+else' and len(edge.worker.requests) == 2


def test_nothing_is_the_default_again(edge):
    edge.job(more='Scopes=acme/app\nTargets=podman\nMinimumRemaining=30min\nOnExpiry=retain\n')
    edge.reload()
    change(edge, Scopes=[], Targets=[], MinimumRemaining=0, OnExpiry='', Identity='')
    job = edge.client.wait_job('edge', State='fresh', MinimumRemaining=0)
    assert (job['Scopes'], job['Targets'], job['OnExpiry'], job['Identity']) == \
        (['quay.example.com/acme'], ['system', 'podman'], 'withdraw', 'default')


def test_a_list_of_many_long_words_arrives_whole(edge):
    scopes = [f'acme/{"a" * 200}{n}' for n in range(64)]
    change(edge, Scopes=scopes)
    assert edge.client.wait_job('edge', State='fresh', Scopes=lambda found: len(found) == 64)['Scopes'] == \
        [f'quay.example.com/{scope}' for scope in scopes]


def test_a_runtime_change_wins_until_the_boot_or_the_next_lasting_one(edge):
    change(edge, OnExpiry='retain', OnRemove='retain')
    change(edge, flags=RUNTIME, OnExpiry='withdraw', TakeOver=True)
    job = edge.client.job('edge')
    assert (job['OnExpiry'], job['OnRemove'], job['TakeOver'], job['Runtime']) == ('withdraw', 'retain', True, False)
    assert job['ConfigurationFiles'][-1] == edge.path(f'{RUN}/edge.job.d/51-bus-runtime.conf')
    change(edge, OnExpiry='')
    assert lines(tree(edge)[f'{RUN}/edge.job.d/51-bus-runtime.conf']) == ['[Job]', 'TakeOver=yes']
    change(edge, TakeOver=False)
    assert f'{RUN}/edge.job.d' not in tree(edge)
    change(edge, flags=RUNTIME, OnRemove='withdraw')
    edge.stop()
    os.unlink(edge.path(f'{RUN}/edge.job.d/51-bus-runtime.conf'))
    edge.start()
    job = edge.client.job('edge')
    assert (job['OnExpiry'], job['OnRemove'], job['TakeOver']) == ('withdraw', 'retain', False)


def test_what_changes_a_runtime_job_ends_with_it(edge):
    create(edge, flags=RUNTIME)
    change(edge, 'new', TakeOver=True)
    called(edge, 'DisableJob', 'st', 'new', 0)
    assert edge.client.job('new', 'Enabled') is False
    assert files(edge) == [f'{ETC}/edge.job', f'{RUN}/new.job', f'{RUN}/new.job.d/51-bus-runtime.conf',
                           f'{RUN}/new.job.d/61-enabled-runtime.conf']


def test_changes_that_cannot_be_are_not_made(edge):
    edge.job('other', more='Scopes=acme/other\n')
    edge.reload()
    edge.client.wait_job('other', State='fresh')
    for settings, name, text in (
            ({'Registry': 'https://x'}, 'InvalidArgument', 'is a URL'),
            ({'Robot': ''}, 'ConfigurationInvalid', 'missing'),
            ({'Identity': 'nobody'}, 'NoSuchIdentity', 'nobody'),
            ({'Targets': ['nowhere']}, 'NoSuchTarget', 'nowhere'),
            ({'Scopes': ['acme/other']}, 'ConfigurationInvalid', "job 'other'"),
            ({}, 'InvalidArgument', 'at least one')):
        found, said = refused_change(edge, **settings)
        assert (found, text in said) == (name, True), said
    assert refused_change(edge, 'nobody', TakeOver=True)[0] == 'NoSuchJob'
    assert refused_change(edge, '../edge', TakeOver=True)[0] == 'InvalidName'


def test_a_later_word_of_the_administrator_is_not_talked_over(edge):
    edge.write(f'{ETC}/edge.job.d/90-local.conf', '[Job]\n\nTakeOver=no\nScopes=acme/local\n')
    edge.reload()
    name, text = refused_change(edge, TakeOver=True)
    assert name == 'NotChangeable' and '90-local.conf:3' in text and 'TakeOver=' in text
    assert refused_change(edge, Scopes=['acme/x'])[0] == 'NotChangeable'
    change(edge, OnExpiry='retain')
    assert edge.client.job('edge', 'OnExpiry') == 'retain'


@pytest.mark.parametrize('content', ['[Job]\nTakeOver=no\n', '', '[Job]\nCAFile=/ca\n', b'\0', b'\xff' * 10,
                                     'x' * 2000000],
                         ids=['plain', 'empty', 'other keys', 'no text', 'no UTF-8', 'long'])
def test_a_drop_in_of_somebody_else_under_our_name_is_left_alone(edge, content):
    edge.write(f'{ETC}/edge.job.d/50-bus.conf', content)
    before = edge.read(f'{ETC}/edge.job.d/50-bus.conf')
    name, text = error(edge, 'ChangeJob', 'sa{sv}t', 'edge', variants({'TakeOver': True}), 0)
    assert name == 'NotChangeable' and '50-bus.conf' in text
    assert edge.read(f'{ETC}/edge.job.d/50-bus.conf') == before


def test_a_comment_in_our_drop_in_makes_it_theirs(edge):
    change(edge, TakeOver=True)
    with open(edge.path(f'{ETC}/edge.job.d/50-bus.conf'), 'a', encoding='utf-8') as file:
        file.write('# Ticket 4711\n')
    assert refused_change(edge, TakeOver=False)[0] == 'NotChangeable'
    assert 'Ticket 4711' in tree(edge)[f'{ETC}/edge.job.d/50-bus.conf']


def test_links_and_directories_in_the_way_of_a_drop_in(edge):
    directory, path = edge.path(f'{ETC}/edge.job.d'), edge.path(f'{ETC}/edge.job.d/50-bus.conf')
    elsewhere = edge.path('tokens')
    os.symlink(elsewhere, directory)
    assert refused_change(edge, TakeOver=True)[0] == 'NotChangeable'
    assert os.listdir(elsewhere) == ['token']
    os.unlink(directory)
    edge.write(f'{ETC}/edge.job.d/README', '')
    for target in ('/dev/null', edge.path('tokens/token')):
        os.symlink(target, path)
        assert refused_change(edge, TakeOver=True)[0] == 'NotChangeable'
        os.unlink(path)
    os.mkdir(path)
    assert refused_change(edge, TakeOver=True)[0] == 'NotChangeable'


def test_a_move_to_another_robot_drops_the_old_credential(edge):
    change(edge, Registry='prod.example.com', Robot='acme+prod')
    edge.client.wait_job('edge', State='fresh', Registry='prod.example.com')
    assert list(edge.auths()) == ['prod.example.com/acme']


def test_a_scope_that_is_given_up_goes_to_the_job_that_could_not_have_it(edge):
    edge.job('late')
    edge.reload()
    assert edge.client.wait_job('late', State='failed')['Reason'] == 'scope-conflict'
    change(edge, Scopes=['acme/app'])
    edge.client.wait_job('late', State='fresh', Reason='')
    assert refused_change(edge, Scopes=['acme'])[0] == 'ConfigurationInvalid'
    called(edge, 'DisableJob', 'st', 'late', 0)
    change(edge, Scopes=['acme'])
    name, text = refused(edge, 'EnableJob', 'st', 'late', 0)
    assert name == 'ConfigurationInvalid' and "job 'edge'" in text
    called(edge, 'RemoveJob', 's', 'edge')
    called(edge, 'EnableJob', 'st', 'late', 0)
    edge.client.wait_job('late', State='fresh')


def test_only_the_files_of_that_job_are_read(edge):
    """What an editor has half done elsewhere waits for its Reload."""
    edge.job('unread')
    edge.identity('unread')
    edge.write('etc/pullauth/identities/default.identity', '[Identity]\nSource=nonsense\n')
    change(edge, TakeOver=True)
    create(edge)
    edge.client.wait_job('new', State='fresh')
    assert sorted(edge.client.jobs()) == ['edge', 'new'] and edge.client.job('edge', 'State') == 'fresh'
    assert refused_change(edge, Identity='unread')[0] == 'NoSuchIdentity'


# --- EnableJob, DisableJob

def test_off_and_on_leave_no_trace(edge):
    before = tree(edge)
    called(edge, 'DisableJob', 'st', 'edge', 0)
    edge.client.wait_job('edge', State='inactive', Enabled=False)
    edge.wait_file('etc/containers/auth.json', lambda: edge.auths() == {})
    assert lines(tree(edge)[f'{ETC}/edge.job.d/60-enabled.conf']) == ['[Job]', 'Enabled=no']
    edge.restart()
    assert edge.client.job('edge', 'State') == 'inactive'
    called(edge, 'DisableJob', 'st', 'edge', 0)
    called(edge, 'EnableJob', 'st', 'edge', 0)
    edge.client.wait_job('edge', State='fresh', Enabled=True)
    assert tree(edge) == before
    called(edge, 'EnableJob', 'st', 'edge', 0)
    assert tree(edge) == before and len(edge.worker.requests) == 2


def test_a_vendors_job_is_switched_in_etc(edge):
    edge.write(f'{USR}/vendor.job', '[Job]\nRegistry=quay.example.com\nRobot=acme+v\nScopes=acme/v\nEnabled=no\n')
    edge.reload()
    assert edge.client.job('vendor', 'State') == 'inactive'
    called(edge, 'EnableJob', 'st', 'vendor', 0)
    edge.client.wait_job('vendor', State='fresh')
    assert lines(tree(edge)[f'{ETC}/vendor.job.d/60-enabled.conf']) == ['[Job]', 'Enabled=yes']
    called(edge, 'DisableJob', 'st', 'vendor', 0)
    assert f'{ETC}/vendor.job.d' not in tree(edge)


def test_off_until_the_boot(edge):
    called(edge, 'DisableJob', 'st', 'edge', RUNTIME)
    edge.client.wait_job('edge', State='inactive')
    assert files(edge) == [f'{ETC}/edge.job', f'{RUN}/edge.job.d/61-enabled-runtime.conf']
    called(edge, 'EnableJob', 'st', 'edge', RUNTIME)
    edge.client.wait_job('edge', State='fresh')
    assert files(edge) == [f'{ETC}/edge.job']
    called(edge, 'DisableJob', 'st', 'edge', 0)
    called(edge, 'EnableJob', 'st', 'edge', RUNTIME)
    edge.client.wait_job('edge', State='fresh')
    assert files(edge)[1:] == [f'{ETC}/edge.job.d/60-enabled.conf', f'{RUN}/edge.job.d/61-enabled-runtime.conf']
    called(edge, 'DisableJob', 'st', 'edge', 0)
    assert edge.client.job('edge', 'Enabled') is False
    assert files(edge)[1:] == [f'{ETC}/edge.job.d/60-enabled.conf']


def test_a_broken_job_can_be_switched_off_and_not_on(edge):
    edge.job('broken', more='Identity=nobody\nScopes=acme/b\n')
    edge.reload()
    assert edge.client.job('broken', 'State') == 'failed'
    called(edge, 'DisableJob', 'st', 'broken', 0)
    assert edge.client.job('broken', 'State') == 'inactive'
    name, text = refused(edge, 'EnableJob', 'st', 'broken', 0)
    assert name == 'NoSuchIdentity' and 'nobody' in text


def test_a_later_drop_in_has_the_last_word_about_enabled(edge):
    edge.write(f'{ETC}/edge.job.d/90-local.conf', '[Job]\nEnabled=yes\n')
    edge.reload()
    name, text = refused(edge, 'DisableJob', 'st', 'edge', 0)
    assert name == 'NotChangeable' and '90-local.conf:2' in text
    called(edge, 'EnableJob', 'st', 'edge', 0)
    for method in ('EnableJob', 'DisableJob'):
        assert error(edge, method, 'st', 'nobody', 0)[0] == 'NoSuchJob'
        assert error(edge, method, 'st', '', 0)[0] == 'InvalidName'
        assert error(edge, method, 'st', 'edge', 4)[0] == 'InvalidArgument'


# --- RemoveJob

def test_a_job_goes_with_everything_that_was_written_for_it(edge):
    create(edge)
    edge.client.wait_job('new', State='fresh')
    change(edge, 'new', TakeOver=True)
    change(edge, 'new', flags=RUNTIME, OnExpiry='retain')
    called(edge, 'DisableJob', 'st', 'new', 0)
    edge.write(f'{ETC}/new.job.d/90-local.conf', '[Job]\nWakeSystem=no\n')
    called(edge, 'RemoveJob', 's', 'new')
    assert files(edge) == [f'{ETC}/edge.job'] and f'{ETC}/new.job.d' not in tree(edge)
    assert list(edge.client.jobs()) == ['edge']
    edge.wait_file('etc/containers/auth.json', lambda: list(edge.auths()) == ['quay.example.com/acme'])
    edge.client.wait(lambda: 'JobRemoved' in [signal[2] for signal in edge.client.signals], 'JobRemoved')
    assert refused(edge, 'RemoveJob', 's', 'new')[0] == 'NoSuchJob'
    create(edge)
    edge.client.wait_job('new', State='fresh', TakeOver=False)


def test_a_job_of_the_administrator_can_be_removed(edge):
    called(edge, 'RemoveJob', 's', 'edge')
    assert tree(edge) == {} and edge.client.jobs() == {}
    edge.wait_file('etc/containers/auth.json', lambda: edge.auths() == {})
    edge.restart()
    assert edge.client.jobs() == {}


def test_a_vendors_job_stays(edge):
    edge.write(f'{USR}/edge.job', '[Job]\nRegistry=quay.example.com\nRobot=acme+vendor\n')
    name, text = refused(edge, 'RemoveJob', 's', 'edge')
    assert name == 'NotChangeable' and 'pullauthctl disable edge' in text and f'{USR}/edge.job' in text
    os.unlink(edge.path(f'{ETC}/edge.job'))
    edge.reload()
    assert refused(edge, 'RemoveJob', 's', 'edge')[0] == 'NotChangeable'


def test_links_masks_and_directories_keep_everything(edge):
    change(edge, TakeOver=True)
    main = edge.path(f'{ETC}/edge.job')
    os.rename(main, edge.path('tokens/edge.job'))
    for target in (edge.path('tokens/edge.job'), '/dev/null'):
        os.symlink(target, main)
        assert refused(edge, 'RemoveJob', 's', 'edge')[0] == 'NotChangeable'
        os.unlink(main)
    os.rename(edge.path('tokens/edge.job'), main)
    os.symlink('/dev/null', edge.path(f'{ETC}/edge.job.d/10-mask.conf'))
    name, text = refused(edge, 'RemoveJob', 's', 'edge')
    assert name == 'NotChangeable' and 'edge.job.d' in text


def test_a_job_whose_files_are_gone_goes_as_well(edge):
    os.unlink(edge.path(f'{ETC}/edge.job'))
    assert error(edge, 'ChangeJob', 'sa{sv}t', 'edge', variants({'TakeOver': True}), 0)[0] == 'NoSuchJob'
    assert 'pullauthctl reload' in error(edge, 'DisableJob', 'st', 'edge', 0)[1]
    called(edge, 'RemoveJob', 's', 'edge')
    assert edge.client.jobs() == {}


def test_onremove_retain_counts_for_removals_on_the_bus(edge):
    change(edge, OnRemove='retain')
    called(edge, 'RemoveJob', 's', 'edge')
    edge.restart()
    assert list(edge.auths()) == ['quay.example.com/acme']
