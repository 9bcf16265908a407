# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes a header of C strings out of the completion scripts: embed.py OUTPUT BASH ZSH FISH."""

import json
import sys


def main():
    with open(sys.argv[1], 'w', encoding='utf-8') as header:
        for shell, path in zip(('bash', 'zsh', 'fish'), sys.argv[2:]):
            with open(path, encoding='ascii') as script:
                lines = [json.dumps(line) for line in script]
            header.write(f'static const char completion_{shell}[] =\n        ' + '\n        '.join(lines) + ';\n')


main()
