#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# After "meson install" on the running system: what a package would do through its triggers. Nothing happens
# when installing below a DESTDIR, without root, or where systemd does not run.
set -eu

[ -z "${DESTDIR-}" ] || exit 0
[ "$(id -u)" -eq 0 ] || exit 0
[ -d /run/systemd/system ] || exit 0

# The user first: the bus drops policy for users that it does not know.
systemd-sysusers pullauth.conf
systemd-tmpfiles --create pullauth.conf
journalctl --update-catalog
systemctl daemon-reload
# A machine whose bus is not up reads the policy when it comes up.
busctl call --quiet org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig || true
