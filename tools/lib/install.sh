#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what building, testing and demonstrating pullauthd needs, on Debian-like (apt) and RHEL-like (dnf)
# machines. Run as `tools/lib/install.sh GROUP…`; groups: build test style host bench demo. It says what it is about
# to install, installs nothing that is there already, never asks, and starts no service. It fails when something needed
# could not be installed. What is optional and not to be had is named, and the suite that wants it says so later.

set -euo pipefail
unset CDPATH

readonly TRIES=3

say() {
        printf 'install: %s\n' "$*"
}

as_root() {
        if [[ $EUID -eq 0 ]]; then
                "$@"
        elif command -v sudo >/dev/null; then
                sudo -n "$@"
        else
                say "'$1' wants root, and there is no sudo"
                return 1
        fi
}

needed() {
        say "could not install what is needed: $1"
        say 'see above for the reason; enable the repository that has it, or install it by hand, and run this again'
        return 1
}

# "a|b": either will do, the first one is installed.
debian_packages() {
        case $1 in
        build)
                echo 'gcc libc6-dev make git meson ninja-build pkg-config|pkgconf systemd systemd-dev|systemd' \
                        'libsystemd-dev libjson-c-dev libcurl4-gnutls-dev|libcurl4-openssl-dev' \
                        'libgnutls28-dev nettle-dev libsmartcols-dev libyaml-dev python3 python3-docutils'
                ;;
        test)
                echo 'libcmocka-dev clang libclang-rt-14-dev|libclang-rt-dev valgrind libc6-dbg dbus|dbus-daemon' \
                        'dbus-daemon|dbus python3-pytest python3-pytest-xdist python3-dbusmock python3-dbus' \
                        'python3-gi python3-cryptography python3-jwt python3-prometheus-client python3-yaml' \
                        'python3-grpcio python3-protobuf nodejs npm|nodejs' \
                        'docker-registry skopeo podman buildah uidmap curl openssl strace softhsm2 jq' \
                        'libglib2.0-bin swtpm tpm2-abrmd tpm2-tools libtpm2-pkcs11-1 libtpm2-pkcs11-tools' \
                        'libtss2-tcti-swtpm0 libtss2-tcti-tabrmd0 gnutls-bin'
                ;;
        style)
                echo 'clang-format clang-tidy shellcheck codespell reuse mandoc'
                ;;
        host)
                echo 'debootstrap systemd-container polkitd|policykit-1'
                ;;
        bench)
                echo 'nginx curl jq util-linux'
                ;;
        demo)
                echo 'dbus|dbus-daemon dbus-daemon|dbus python3-gi python3-cryptography python3-jwt' \
                        'docker-registry skopeo'
                ;;
        esac
}

# "?name": the suite can do without, or says itself that it cannot.
rhel_packages() {
        case $1 in
        build)
                echo 'gcc glibc-devel make git-core meson ninja-build pkgconf-pkg-config systemd systemd-devel' \
                        'json-c-devel libcurl-devel gnutls-devel nettle-devel libsmartcols-devel libyaml-devel' \
                        'python3 python3-docutils'
                ;;
        test)
                echo 'libcmocka-devel clang compiler-rt valgrind libasan libubsan dbus-daemon python3-pytest' \
                        'python3-pytest-xdist ?python3-dbusmock python3-dbus python3-gobject-base' \
                        'python3-cryptography python3-jwt ?docker-distribution skopeo podman buildah curl openssl' \
                        'strace jq softhsm glib2 ?python3-prometheus_client ?python3-grpcio ?python3-protobuf' \
                        '?nodejs ?npm python3-pyyaml gnutls-utils ?swtpm ?tpm2-abrmd ?tpm2-tools ?tpm2-pkcs11' \
                        '?tpm2-pkcs11-tools'
                ;;
        style)
                echo 'clang-tools-extra ?ShellCheck ?codespell ?reuse ?mandoc'
                ;;
        host)
                echo '?debootstrap systemd-container polkit'
                ;;
        bench)
                echo 'nginx curl jq util-linux'
                ;;
        demo)
                echo 'dbus-daemon python3-gobject-base python3-cryptography python3-jwt ?docker-distribution skopeo'
                ;;
        esac
}

debian_has() {
        local name
        for name in ${1//|/ }; do
                [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] && return 0
        done
        return 1
}

# The first alternative that the package lists know.
debian_pick() {
        local name
        for name in ${1//|/ }; do
                if apt-cache show "$name" >/dev/null 2>&1; then
                        echo "$name"
                        return
                fi
        done
        echo "${1%%|*}"
}

retried() {
        local try
        for ((try = 1; try <= TRIES; try++)); do
                "$@" && return 0
                say "attempt $try of $TRIES failed: $1"
                sleep $((try * 3))
        done
        return 1
}

apt_quiet() {
        as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l LC_ALL=C.UTF-8 \
                apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null >"$log" 2>&1 ||
                { tail -n 15 "$log"; return 1; }
}

# Packages must not start services here (docker-registry would listen on port 5000).
with_services_held() {
        local policy=/usr/sbin/policy-rc.d result=0 ours=
        if [[ ! -e $policy ]]; then
                printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
                as_root chmod 0755 $policy
                ours=yes
        fi
        "$@" || result=$?
        [[ -z $ours ]] || as_root rm -f $policy
        return $result
}

install_debian() {
        local group package
        local -a missing=() picked=()
        for group in "$@"; do
                for package in $(debian_packages "$group"); do
                        [[ " ${missing[*]} " == *" $package "* ]] || debian_has "$package" || missing+=("$package")
                done
        done
        if [[ ${#missing[@]} -eq 0 ]]; then
                say "everything for '$*' is there"
                return 0
        fi
        retried apt_quiet update
        for package in "${missing[@]}"; do
                picked+=("$(debian_pick "$package")")
        done
        say "apt-get install ${picked[*]}"
        with_services_held retried apt_quiet install --no-install-recommends -y "${picked[@]}" ||
                needed "one or more of ${picked[*]}"
}

dnf_quiet() {
        as_root dnf -q -y --setopt=install_weak_deps=False "$@" </dev/null >"$log" 2>&1 ||
                { tail -n 15 "$log"; return 1; }
}

# EPEL has the Python test helpers, CRB (CodeReady Builder) has meson and most -devel packages.
enable_repositories() {
        local id
        id=$(sed -n 's/^ID="\?\([a-z]*\)"\?$/\1/p' /etc/os-release)
        [[ $id != fedora ]] || return 0
        rpm -q dnf-plugins-core >/dev/null 2>&1 || retried dnf_quiet install dnf-plugins-core
        dnf_quiet config-manager --set-enabled crb ||
                as_root subscription-manager repos \
                        --enable "codeready-builder-for-rhel-$(rpm -E %rhel)-$(uname -m)-rpms" \
                        >/dev/null 2>&1 || say 'cannot switch on CRB, going on without it'
        rpm -q epel-release >/dev/null 2>&1 || retried dnf_quiet install epel-release ||
                say 'cannot switch on EPEL, going on without it'
}

install_rhel() {
        local group package
        local -a missing=() optional=() failed=()
        for group in "$@"; do
                for package in $(rhel_packages "$group"); do
                        rpm -q --whatprovides "${package#\?}" >/dev/null 2>&1 && continue
                        [[ " ${missing[*]} ${optional[*]} " != *" ${package#\?} "* ]] || continue
                        if [[ $package == \?* ]]; then
                                optional+=("${package#\?}")
                        else
                                missing+=("$package")
                        fi
                done
        done
        if [[ ${#missing[@]} -eq 0 && ${#optional[@]} -eq 0 ]]; then
                say "everything for '$*' is there"
                return 0
        fi
        enable_repositories
        if [[ ${#missing[@]} -gt 0 ]]; then
                say "dnf install ${missing[*]}"
                # One name that is not known spoils a whole transaction: then each by itself.
                retried dnf_quiet install "${missing[@]}" ||
                        for package in "${missing[@]}"; do
                                dnf_quiet install "$package" || failed+=("$package")
                        done
        fi
        for package in "${optional[@]}"; do
                dnf_quiet install "$package" || say "this distribution has no package '$package'"
        done
        [[ ${#failed[@]} -eq 0 ]] || needed "${failed[*]}"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

[[ $# -gt 0 ]] || set -- build test style
if command -v apt-get >/dev/null; then
        install_debian "$@"
elif command -v dnf >/dev/null; then
        install_rhel "$@"
else
        say 'neither apt-get nor dnf here: install by hand what HACKING.md lists'
        exit 1
fi
