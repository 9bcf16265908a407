# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tools/demo shows, step by step."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys

from demorig import TOP, Demo, Trouble, show_file

LIFETIME = 60
REGISTRIES = ('docker-registry', 'registry')  # the program in Debian and in RHEL-like systems
SKOPEO = ('skopeo', '--insecure-policy', 'copy')
FOREIGN = {'auths': {'registry.example.net': {'auth': 'c29tZW9uZTpzdGF0aWM=', 'email': 'someone@example.net'}}}


def build(demo):
    demo.headline('Build pullauthd, pullauth-worker and pullauthctl')
    demo.quietly('build', ['meson', 'setup', '-Dtests=false', demo.build, TOP])
    demo.quietly('build', ['ninja', '-C', demo.build])
    demo.indented(f'in {demo.build}')


def directories(demo):
    """What a host has before anything is installed."""
    for path in ('etc/containers', 'etc/pullauth', 'run/containers', 'run/pullauth', 'var/lib'):
        os.makedirs(os.path.join(demo.root, path))


def registry(demo):
    demo.headline('Start a Quay: its federation endpoint and OIDC issuer simulated, a real registry behind it')
    demo.pulls = any(map(shutil.which, REGISTRIES)) and bool(shutil.which('skopeo'))
    quay = os.path.join(TOP, 'tests', 'quay')
    jwt = demo.write('run/quay.jwt', '', 0o600)
    process = demo.start(
        'quay', [sys.executable, '-B', '-m', 'quaysim', '--dir', demo.path('quay'), '--robot', 'acme+edge',
                 '--token-lifetime', str(demo.lifetime), '--token-file', jwt,
                 *([] if demo.keep else ['--die-with-parent']), *([] if demo.pulls else ['--no-registry'])],
        env={**demo.environment, 'PYTHONPATH': quay}, stdout=subprocess.PIPE)
    demo.started_line('quay', process, 'ready')
    with open(demo.path('quay/rig.json'), encoding='utf-8') as file:
        demo.quay = json.load(file)
    demo.indented(f"registry       https://{demo.quay['quay']}\n"
                  f"issuer         {demo.quay['issuer']}\n"
                  f"robot          acme+edge, which trusts subject '{demo.quay['subject']}' of that issuer\n"
                  f"private image  {demo.quay['image']}\n"
                  f"its tokens live {demo.lifetime} seconds instead of an hour")
    if demo.pulls:
        demo.say('   Without a credential the image is refused:')
        copy(demo, None)
    else:
        demo.say(f'   There is no registry here ({" or ".join(REGISTRIES)}) or no skopeo: images are not shown')


def copy(demo, authfile):
    """skopeo copies the private image, with the credentials of that file or with none."""
    if not demo.pulls:
        return
    shutil.rmtree(demo.path('image'), ignore_errors=True)
    command = [*SKOPEO, '--quiet', '--src-cert-dir', demo.quay['cert_dir'], f"docker://{demo.quay['image']}",
               f"dir:{demo.path('image')}"]
    shown = f"skopeo copy docker://{demo.quay['image']} dir:image"
    if not authfile:
        demo.show(command, None, shown)
        return
    demo.show(command, 0, f'REGISTRY_AUTH_FILE={os.path.relpath(authfile, demo.directory)} {shown}',
              {'REGISTRY_AUTH_FILE': authfile})
    demo.indented('copied: ' + ', '.join(sorted(os.listdir(demo.path('image')))[-2:]))


def configuration(demo):
    demo.headline('Configure: who this host is, and one robot account')
    shutil.copy(demo.quay['ca'], demo.write('etc/pullauth/quay-ca.pem', ''))
    files = {
        'etc/pullauth/identities/default.identity':
            f"[Identity]\nSource=file\nTokenFile=/run/quay.jwt\nAudience={demo.quay['audience']}\n",
        'etc/pullauth/jobs/edge.job':
            f"[Job]\nRegistry={demo.quay['quay']}\nRobot=acme+edge\nCAFile=/etc/pullauth/quay-ca.pem\n",
    }
    for path, text in files.items():
        demo.write(path, text)
        demo.say(f'   {demo.dim}{path}:{demo.off}')
        demo.indented('\n'.join(f'  {line}' for line in text.splitlines()))
    demo.write('etc/containers/auth.json', json.dumps(FOREIGN, indent=4) + '\n', 0o600)
    demo.indented('etc/containers/auth.json holds an entry of someone else already')


def start(demo):
    demo.headline('Start the worker behind its socket and the daemon on a bus of their own')
    address = demo.start_bus()
    demo.start_worker()
    demo.start_daemon()
    demo.indented(f'bus {address.split(",")[0]}, everything else below {demo.root}')
    demo.ctl('list')
    demo.ctl('status', 'edge')


def result(demo):
    demo.headline('What the container tools of this host read')
    content = show_file(demo, demo.system)
    if content['auths'].get('registry.example.net') != FOREIGN['auths']['registry.example.net']:
        raise Trouble('the foreign entry was not kept as it was')
    demo.say("   The other's entry is as it was" + (', and the private image can be had:' if demo.pulls else ''))
    copy(demo, demo.system)


def secret(demo):
    with open(demo.system, encoding='utf-8') as file:
        entries = json.load(file)['auths']
    return [entry['auth'] for key, entry in entries.items() if key.startswith(demo.quay['quay'])]


def refresh(demo):
    demo.headline('Before the token ends a new one takes its place; this waits for the signal that says so')
    before = secret(demo)
    demo.wait_for_refresh(demo.lifetime)
    demo.ctl('list')
    if not before or secret(demo) == before:
        raise Trouble('the credential in the file is still the old one')
    demo.say('   Another token stands in the file' + (', and it works:' if demo.pulls else ''))
    copy(demo, demo.system)


def trouble(demo):
    demo.headline('When something is wrong: the robot loses its federation at the registry')
    demo.control('robot', name='acme+edge', federation=[])
    demo.ctl('refresh', 'edge', '--wait', expected=None)
    demo.ctl('status', 'edge', expected=None)
    demo.say('   Put right again:')
    demo.control('robot', name='acme+edge', federation=[{
        'issuer': demo.quay['issuer'], 'subject': demo.quay['subject'], 'audiences': [demo.quay['audience']]}])
    demo.ctl('refresh', 'edge', '--wait')
    demo.ctl('list')


STEPS = (build, directories, registry, configuration, start, result, refresh, trouble)


def main():
    parser = argparse.ArgumentParser(prog='tools/demo', description='Shows pullauthd at work in a scratch directory.')
    parser.add_argument('--keep', action='store_true', help='leave everything running and say how to look around')
    parser.add_argument('--no-install', action='store_true', help='leave the packages of this machine alone')
    parser.add_argument('--lifetime', type=int, default=LIFETIME, metavar='SECONDS',
                        help=f'how long the tokens live ({LIFETIME})')
    options = parser.parse_args()

    os.umask(0o022)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    demo = Demo(options.keep, options.lifetime, not sys.stdout.isatty() or 'NO_COLOR' in os.environ)
    status, done = 1, False
    try:
        for step in STEPS:
            step(demo)
        status, done = 0, True
        if options.keep:
            demo.leave()
    except Trouble as why:
        print(f'\ntools/demo: {why}', file=sys.stderr)
    except (subprocess.TimeoutExpired, OSError) as why:
        print(f'\ntools/demo: {why}', file=sys.stderr)
    except KeyboardInterrupt:
        print('\ntools/demo: interrupted', file=sys.stderr)
        status = 130
    finally:
        if not (done and options.keep):
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)  # nothing interrupts the cleaning up
            demo.stop()
    if status == 0 and not options.keep:
        print(f'\ndemo: done, {demo.directory} is gone again')
    sys.exit(status)


if __name__ == '__main__':
    main()
