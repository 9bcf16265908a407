#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# page.sh SOURCE PAGE VERSION LIBEXECDIR RST2MAN...: one manual page. Whatever docutils would say about the source,
# be it a mere remark, is an error. No configuration of the one who builds, no date and no path get into the page.
set -eu

source=$1 page=$2 version=$3 libexecdir=$4
shift 4

# What stands for a path or a version is filled in behind rst2man, so that it says the lines of the source.
escaped() {
        printf '%s' "$1" | sed -e 's/[&|\\]/\\&/g' -e 's/-/\\\\-/g'
}

DOCUTILSCONFIG=/dev/null LC_ALL=C.UTF-8 "$@" --input-encoding=utf-8 --output-encoding=utf-8 \
        --no-raw --no-file-insertion --halt=warning --strict "$source" "$page.part"
sed -e "s|@VERSION@|$(escaped "$version")|g" -e "s|@LIBEXECDIR@|$(escaped "$libexecdir")|g" "$page.part" >"$page"
rm -f "$page.part"
