# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command: starts everything, writes DIR/rig.json, says "ready", and ends on SIGTERM or SIGINT."""

import argparse
import ctypes
import os
import signal
import sys
import threading

from quaysim.rig import Rig

PR_SET_PDEATHSIG = 1


def parse(arguments):
    parser = argparse.ArgumentParser(prog='quaysim', description=__doc__)
    parser.add_argument('--dir', required=True, help='where rig.json, certificates and the images go')
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on, and name in the certificates')
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--issuer-port', type=int, default=0)
    parser.add_argument('--token-lifetime', type=int, default=3600, metavar='SECONDS', help='of robot tokens')
    parser.add_argument('--jwt-lifetime', type=int, default=600, metavar='SECONDS', help='of identity tokens')
    parser.add_argument('--robot', action='append', metavar='ORG+NAME', help='may be given more than once')
    parser.add_argument('--subject', default='host-1')
    parser.add_argument('--audience', default='quay')
    parser.add_argument('--token-file', metavar='PATH', help='keep a valid identity token there')
    parser.add_argument('--no-registry', action='store_true', help='no images, /v2 knows no repository')
    parser.add_argument('--die-with-parent', action='store_true', help='end when the starting process ends')
    return parser.parse_args(arguments)


def main():
    options = parse(sys.argv[1:])
    parent = os.getppid()
    if options.die_with_parent:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            return 1
    threading.stack_size(512 * 1024)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    rig = Rig(options, ended)
    rig.announce()
    print('ready', flush=True)
    ended.wait()
    rig.stop()
    # The threads of connections that still hang are not waited for.
    sys.stdout.flush()
    os._exit(0)


if __name__ == '__main__':
    sys.exit(main())
