# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of pullauthctl(1) for fish. All words come from pullauthctl itself.

function __pullauthctl_words
        set -l words (commandline --tokenize --cut-at-cursor --current-process)
        set --append words (commandline --current-token --cut-at-cursor)
        pullauthctl completion words -- $words[2..-1] 2>/dev/null
end

complete --command pullauthctl --no-files --arguments '(__pullauthctl_words)'
complete --command pullauthctl --force-files --condition '__fish_seen_subcommand_from check'
