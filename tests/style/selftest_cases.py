# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples of selftest.py: GOOD is a tree (path → text) that all rules accept; CASES has for each rule rows
(title, files that change, path of the finding, words in it). Words that are None: nothing may be found.
What must not stand in a file of this tree is written in pieces.
"""

LICENCE = 'SPDX-License-' + 'Identifier: LGPL-2.1-or-later'
C = f'/* {LICENCE} */\n'
H = f'{C}#pragma once\n\n'
PY = f'# {LICENCE}\n'
OPENING = '\n/* Names for numbers.\n *\n * Owns nothing and refuses numbers that are too large. */\n\n'
MESSAGE = '0123456789abcdef0123456789abcdef'


def source(*lines, opening=OPENING, includes='#include "base/name.h"\n\n'):
    return C + opening + includes + '\n'.join(lines) + '\n'


def page(name, section, *lines):
    """A manual with these sections, each a title and its text."""
    text = f'.. {LICENCE}\n\n{"=" * 20}\n{name}\n{"=" * 20}\n\n{"-" * 10}\nan example\n{"-" * 10}\n\n' \
        f':Manual section: {section}\n'
    for title, content in zip(lines[::2], lines[1::2]):
        text += f'\n{title}\n{"=" * len(title)}\n\n{content}\n'
    return text


def item(term, more='Added in version 0.1.'):
    return f'{term}\n        What it is. {more}'.rstrip()


NAME_H = H + '/* Numbers have names. */\n\ntypedef enum Kind { KIND_A, KIND_B } Kind;\n\nint name_of(int number);\n'
SEMICOLON_H = 'static inline void nothing(int number) {\n        if (number);\n                number++;\n}\n'
NAME_C = source('int name_of(int number) {', '        return number + 1;', '}')
FAILURE_H = H + '/* Reasons. */\n\ntypedef enum Reason {\n        REASON_NONE, /* "" */\n        REASON_TIMEOUT,\n' \
    '} Reason;\n'
FAILURES_MD = f'<!-- {LICENCE} -->\n# Failures\n\n| reason | meaning |\n|---|---|\n| `timeout` | too late |\n'
README = f'<!-- {LICENCE} -->\n# src/io\n\n| `tree.c` | wood |\n| `leaf-*` | leaves |\n'
MESSAGES_H = H + f'/* Ids of messages. */\n\n#define MESSAGE_ID_REFRESHED "{MESSAGE}"\n'
CATALOG = f'# {LICENCE}\n-- {MESSAGE}\nSubject: fresh\n\nAll is well.\n'
POLICY = f'<?xml version="1.0"?>\n<!-- {LICENCE} -->\n<policyconfig>\n<action id="org.pullauth1.refresh"/>\n' \
    '</policyconfig>\n'
CAMEL_TIDY = f"# {LICENCE}\nChecks: '-*,readability-identifier-naming'\nCheckOptions:\n" \
    '  - { key: readability-identifier-naming.FunctionCase, value: CamelCase }\n'
BUS_C = C + OPENING + '#include <systemd/sd-bus.h>\n\n' + \
    'static const char *const action = "org.pullauth1.refresh";\n\n' + \
    'const sd_bus_vtable *vtable(void);\n\nconst sd_bus_vtable *vtable(void) {\n' + \
    '        static const sd_bus_vtable rows[] = {\n                SD_BUS_VTABLE_START(0),\n' + \
    '                SD_BUS_PROPERTY("Version", "s", NULL, 0, SD_BUS_VTABLE_PROPERTY_CONST),\n' + \
    '                SD_BUS_VTABLE_END,\n        };\n\n        return action ? rows : NULL;\n}\n'
JOB_C = C + OPENING + 'typedef struct ConfKey {\n        const char *section, *key;\n} ConfKey;\n\n' + \
    'const ConfKey *keys(void);\n\nconst ConfKey *keys(void) {\n        static const ConfKey table[] = {\n' + \
    '                { "Job", "Registry" },\n        };\n\n        return table;\n}\n'
CTL_C = C + OPENING + '#include <getopt.h>\n#include <stddef.h>\n\n' + \
    'typedef struct Verb {\n        const char *name;\n} Verb;\n\n' + \
    'const Verb *verbs(void);\nconst struct option *options(void);\n\n' + \
    'const Verb *verbs(void) {\n        static const Verb table[] = {\n' + \
    '                { "list" },\n        };\n\n        return table;\n}\n\n' + \
    'const struct option *options(void) {\n        static const struct option table[] = {\n' + \
    '                { "json", no_argument, NULL, 1 },\n                { 0 },\n        };\n\n' + \
    '        return table;\n}\n'
GOLDEN = f'<!-- {LICENCE} -->\n<node>\n<interface name="org.pullauth1.Manager">\n' \
    '<property name="Version" type="s" access="read"/>\n<method name="Get">\n' \
    '<arg type="s" name="name" direction="in"/>\n<arg type="t" name="end" direction="out"/>\n</method>\n' \
    '</interface>\n</node>\n'
ERROR_C = C + OPENING + 'const char *const *names(void);\n\nconst char *const *names(void) {\n' \
    '        static const char *const table[] = { "org.pullauth1.Error.NoJob" };\n\n        return table;\n}\n'
INTERFACE = page('org.pullauth1', 5, 'THE INTERFACE org.pullauth1.Manager', '\n\n'.join([
    item('**Version** (s)'), item('**Get**\\ (s name) -> t end')]), 'AUTHORIZATION', item('**org.pullauth1.refresh**'),
    'ERRORS', item('**org.pullauth1.Error.NoJob**'))
NEWS = f'<!-- {LICENCE} -->\n# News\n\n## 0.1.0 (not released)\n\n- daemon, worker: exist\n'

GOOD = {
    'meson.build': f"# {LICENCE}\nproject('x', 'c', version : '0.1.0')\n",
    '.gitignore': '/build/\n/link-options\n',
    'link-options': '-lsystemd',
    '.clang-format': f'# {LICENCE}\nBasedOnStyle: LLVM\nIndentWidth: 8\nColumnLimit: 109\nSpaceAfterCStyleCast: true\n'
                     'Cpp11BracedListStyle: false\nSortIncludes: false\nAllowShortFunctionsOnASingleLine: None\n',
    '.clang-tidy': f"# {LICENCE}\nChecks: '-*,bugprone-*,-bugprone-easily-swappable-parameters'\n"
                   'HeaderFilterRegex: "/src/"\n',
    '.reuse/dep5': 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n'
                   'Files: *\nCopyright: someone\nLicense: LGPL-2.1-or-later\n',
    'LICENSES/LGPL-2.1-or-later.txt': 'The licence.\n',
    'src/base/name.h': NAME_H,
    'src/base/name.c': NAME_C,
    'src/base/failure.h': FAILURE_H,
    'src/model/message-id.h': MESSAGES_H,
    'src/model/job.c': JOB_C,
    'src/daemon/bus.c': BUS_C,
    'src/ctl/ctl.c': CTL_C,
    'tests/unit/test-name.c': source('int main(void) {', '        return name_of(-1);', '}'),
    'tests/unit/test-job.c': source('int main(void) {', '        return 0;', '}', includes=''),
    'tests/unit/meson.build': f"# {LICENCE}\nunit_tests_base = ['name', 'job', 'api-error']\n",
    'tests/lib/tool.py': PY + 'import os\n\nprint(os.getpid())\n',
    'tools/run': f'#!/bin/bash\n# {LICENCE}\necho "$1"\n',
    'units/pullauth.catalog': CATALOG,
    'polkit/org.pullauth1.policy': POLICY,
    'docs/failures.md': FAILURES_MD,
    'NEWS.md': NEWS,
    'man/meson.build': f'# {LICENCE}\npages = [\'pullauthd.service.8\', \'pullauth.job.5\', \'pullauthctl.1\',\n'
                       '        \'org.pullauth1.5\']\n',
    'man/pullauthd.service.8.rst': page('pullauthd.service', 8, 'REASONS', item('**timeout**', ''),
                                        'JOURNAL', item(f'**{MESSAGE}**')),
    'man/pullauth.job.5.rst': page('pullauth.job', 5, 'OPTIONS', item('**Registry=**')),
    'man/pullauthctl.1.rst': page('pullauthctl', 1, 'COMMANDS', item('**list**'), 'OPTIONS', item('**--json**')),
    'man/org.pullauth1.5.rst': INTERFACE,
    'dbus/org.pullauth1.Manager.xml': GOLDEN,
    'src/base/api-error.c': ERROR_C,
    'tests/unit/test-api-error.c': source('int main(void) {', '        return 0;', '}', includes=''),
}


def with_body(*lines, **others):
    """src/base/name.c with more in it."""
    return {'src/base/name.c': source('int name_of(int number) {', *lines, '        return number;', '}', **others)}


def bad_calls():
    for path, call, words in (
            ('src/base', 'strcpy(a, b)', 'overrun'), ('src/ctl', 'sprintf(a, b)', 'overrun'),
            ('src/daemon', 'atoi(a)', 'strict'), ('src/daemon', 'system(a)', 'no shell'),
            ('src/worker', 'getaddrinfo(a)', 'blocks'), ('src/worker', 'curl_easy_perform(c)', 'blocks'),
            ('src/io', 'usleep(1)', 'blocks'), ('src/daemon', 'sd_bus_call(b, m)', 'waits'),
            ('src/base', 'memset(a, 0, 1)', 'explicit_bzero'), ('src/model', 'printf("x")', 'base/log'),
            ('src/codec', 'exit(1)', 'program decides')):
        text = source('int name_of(int number) {', f'        {call};', '}')
        yield f'{call} in {path}', {f'{path}/other.c': text}, f'{path}/other.c', words
    yield 'a member of that name', with_body('        number = table->select(number);'), '', None
    yield 'the name in a string', with_body('        say("never strcpy(x)");'), '', None
    yield 'an exception', {**with_body('        strcpy(a, b);'),
                           'tests/style/allow': 'call src/base/name.c:strcpy 1 Shown here to be taken.\n'}, '', None
    yield 'an exception that nothing needs', \
        {'tests/style/allow': 'call src/base/name.c:strcpy 1 It was needed once.\n'}, 'tests/style/allow', \
        'nothing needs'


MANY = [f'        number += {n};' for n in range(90)]
DEEP = ['        if (number)', '                while (number)', '                        if (number > 1)',
        '                                if (number > 2)', '                                        number--;']
OTHER_H = H + '/* Others. */\n\nint other(void);\n'

CASES = {
    'calls': list(bad_calls()),
    'terminal': [
        ('a line to standard error', with_body('        fprintf(stderr, "x");'), 'src/base/name.c', 'do not print'),
        ('a stream of memory', with_body('        fprintf(f, "x");'), '', None)],
    'goto': [('goto', with_body('        goto out;'), 'src/base/name.c', 'no goto')],
    'globals': [
        ('a counter', {'src/base/name.c': source('static int counter;')}, 'src/base/name.c', "'counter'"),
        ('a pointer', {'src/base/name.c': source('static const char *last = NULL;')}, 'src/base/name.c', "'last'"),
        ('constants and options', {'src/base/name.c': source(
            'static const char *const names[] = { "a" };', 'static bool arg_all;')}, '', None)],
    'enum-default': [
        ('default: in a switch of ours', with_body(
            '        switch (number) {', '        case KIND_A:', '                return 1;', '        default:',
            '                break;', '        }'), 'src/base/name.c', 'no default'),
        ('default: over numbers', with_body(
            '        switch (number) {', '        case EINVAL:', '                return 1;', '        default:',
            '                break;', '        }'), '', None)],
    'vtables': [('a method without argument names', {
        'src/daemon/bus.c': BUS_C.replace('SD_BUS_PROPERTY(', 'SD_BUS_METHOD(')}, 'src/daemon/bus.c', 'WITH_ARGS')],
    'headers-alone': [
        ('a header that lacks one', {'src/base/name.h': NAME_H + 'size_t name_length(void);\n'}, 'src/base/name.h',
         'compile'),
        ('no guard', {'src/base/name.h': C + 'int name_of(int number);\n'}, 'src/base/name.h', '#pragma once')],
    'layers': [
        ('an include upwards', with_body(includes='#include "model/message-id.h"\n\n'), 'src/base/name.c',
         'must not see'),
        ('the worker seeing the daemon', {'src/daemon/x.h': OTHER_H, 'src/worker/x.c': source(
            'int other(void);', includes='#include "daemon/x.h"\n\n')}, 'src/worker/x.c', 'must not see'),
        ('the daemon seeing the worker', {'src/worker/x.h': OTHER_H, 'src/daemon/x.c': source(
            'int other(void);', includes='#include "worker/x.h"\n\n')}, 'src/daemon/x.c', 'must not see'),
        ('an include without directory', with_body(includes='#include "name.h"\n\n'), 'src/base/name.c',
         'the directory'),
        ('a directory without layer', {'src/extra/x.c': NAME_C}, 'src/extra/x.c', 'in no layer')],
    'cycles': [('two modules', {
        'src/base/name.h': NAME_H.replace('/* Num', '#include "base/other.h"\n\n/* Num'),
        'src/base/other.h': OTHER_H,
        'src/base/other.c': source('int x;')}, 'src/base/name.h', 'include each other')],
    'libraries': [
        ('curl in the daemon', with_body(includes='#include <curl/curl.h>\n\n'), 'src/base/name.c', '<curl/curl.h>'),
        ('curl in io/http.c', {'src/io/http.c': source('int x(void);', includes='#include <curl/curl.h>\n\n')},
         '', None),
        ('gnutls in the daemon', {'src/daemon/x.c': source('', includes='#include <gnutls/gnutls.h>\n\n')},
         'src/daemon/x.c', '<gnutls/gnutls.h>')],
    'identities': [
        ('a source seeing another', {'src/worker/identity/file.c': source(
            '', includes='#include "worker/identity/exec.h"\n\n')}, 'src/worker/identity/file.c', 'each other'),
        ('an exchange seeing a source', {'src/worker/exchange/quay.c': source(
            '', includes='#include "worker/identity/exec.h"\n\n')}, 'src/worker/exchange/quay.c', 'know nothing')],
    'include-order': [
        ('ours before external ones', with_body(includes='#include "base/name.h"\n\n#include <errno.h>\n\n'),
         'src/base/name.c', 'external'),
        ('ours unsorted', with_body(includes='#include "base/name.h"\n#include "base/failure.h"\n\n'),
         'src/base/name.c', 'sort')],
    'unit-tests': [
        ('a module without test', {'src/base/other.c': NAME_C}, 'src/base/other.c', 'test-other.c'),
        ('a test that does not run', {'tests/unit/test-lost.c': NAME_C}, 'tests/unit/test-lost.c', 'not listed')],
    'sizes': [
        ('a long function', with_body(*MANY), 'src/base/name.c', 'name_of has 93 lines'),
        ('a long file', {'src/base/name.c': NAME_C + '\n' * 500}, 'src/base/name.c', 'the file has'),
        ('a long header', {'src/base/name.h': NAME_H + '\n' * 120}, 'src/base/name.h', 'the file has'),
        ('many parameters', {'src/base/name.c': source(
            'int f(int a, int b, int c, int d, int e, int f, int g, int h) {', '        return 0;', '}')},
         'src/base/name.c', '8 parameters'),
        ('deep nesting', with_body(*DEEP), 'src/base/name.c', '4 levels'),
        ('a reason that is none', {'tests/style/allow': 'file src/base/name.c 900 because\n'}, 'tests/style/allow',
         'reason as a sentence'),
        ('an exception that nothing needs', {'tests/style/allow': 'file src/base/name.c 900 It was long once.\n'},
         'tests/style/allow', 'nothing needs'),
        ('an exception', {**with_body(*MANY), 'tests/style/allow':
                          'function src/base/name.c:name_of 93 One table that reads best in one piece.\n'}, '', None)],
    'spdx': [('a file without licence', {'src/base/name.c': NAME_C.replace(C, '')}, 'src/base/name.c', 'first lines')],
    'opening-comment': [
        ('no opening', {'src/base/name.c': NAME_C.replace(OPENING, '\n')}, 'src/base/name.c', 'open with'),
        ('an essay', {'src/base/name.c': source(opening='\n/*' + ' * more\n' * 20 + ' */\n')}, 'src/base/name.c',
         'has 21 lines')],
    'line-comments': [('a // comment', with_body('        // so'), 'src/base/name.c', 'write /*')],
    'dead-code': [
        ('code in a comment', with_body('        /* number = 3; */'), 'src/base/name.c', 'looks like code'),
        ('#if 0', {'src/base/name.c': NAME_C + '#if 0\n#endif\n'}, 'src/base/name.c', '#if 0')],
    'todo': [('a note without issue', with_body('        /* TO' 'DO later */'), 'src/base/name.c',
              'number of an issue'),
             ('one with an issue', with_body('        /* TO' 'DO #12 later */'), '', None)],
    'words': [('a login', with_body('        /* the login of the robot */'), 'src/base/name.c', 'never a login')],
    'workplace': [('a path', {'HACKING.md': f'<!-- {LICENCE} -->\nSee /wor' 'k/main.\n'}, 'HACKING.md', 'elsewhere'),
                  ('a note of someone', {'HACKING.md': f'<!-- {LICENCE} -->\nSee fac' 'ts/quay.md.\n'}, 'HACKING.md',
                   'elsewhere')],
    'news': [
        ('no component', {'NEWS.md': NEWS + '- it is better\n'}, 'NEWS.md', 'begin with the component'),
        ('another version', {'NEWS.md': NEWS.replace('0.1.0', '0.0.9')}, 'NEWS.md', 'must be 0.1.0'),
        ('a heading of another form', {'NEWS.md': NEWS.replace(' (not released)', ' soon')}, 'NEWS.md', 'write "##'),
        ('no file', {'NEWS.md': None}, 'NEWS.md', 'missing')],
    'readmes': [
        ('a large directory', {f'src/io/f{n}.c': NAME_C for n in range(7)}, 'src/io/README.md', '7 files'),
        ('a module that it does not list', {'src/io/README.md': README, 'src/io/stone.c': NAME_C},
         'src/io/README.md', 'stone does not'),
        ('a module that it lists', {'src/io/README.md': README, 'src/io/tree.c': NAME_C}, 'src/io/README.md', None),
        ('a module of a pattern', {'src/io/README.md': README, 'src/io/leaf-oak.c': NAME_C}, 'src/io/README.md', None)],
    'docs-keys': [
        ('a key', {'src/model/job.c': JOB_C.replace('"Registry" }', '"Colour" }')}, 'src/model/job.c', 'Colour='),
        ('a key that is none', {'man/pullauth.job.5.rst': page('pullauth.job', 5, 'OPTIONS', '\n\n'.join([
            item('**Registry=**'), item('**Colour=**')]))}, 'man/pullauth.job.5.rst', 'no such thing'),
        ('a key that stands there twice', {'man/pullauth.job.5.rst': page('pullauth.job', 5, 'OPTIONS', '\n\n'.join([
            item('**Registry=**'), item('**Registry=**')]))}, 'man/pullauth.job.5.rst', 'explained in line'),
        ('a key without version', {'man/pullauth.job.5.rst': page('pullauth.job', 5, 'OPTIONS', item(
            '**Registry=**', ''))}, 'man/pullauth.job.5.rst', 'it is there 0 times'),
        ('a version of the future', {'man/pullauth.job.5.rst': page('pullauth.job', 5, 'OPTIONS', item(
            '**Registry=**', 'Added in version 7.1.'))}, 'man/pullauth.job.5.rst', 'not there yet')],
    'docs-pages': [
        ('a page that nobody builds', {'man/pullauth.7.rst': page('pullauth', 7, 'WORDS', 'Job.')},
         'man/pullauth.7.rst', 'nobody builds'),
        ('a page that there is not', {'man/pullauthctl.1.rst': page(
            'pullauthctl', 1, 'SEE ALSO', '**pullauth.frob**\\ (5)')}, 'man/pullauthctl.1.rst', 'pullauth.frob(5)'),
        ('a page that is not marked', {'man/pullauthctl.1.rst': page('pullauthctl', 1, 'SEE ALSO', 'pullauth.job(5)')},
         'man/pullauthctl.1.rst', 'write **pullauth.job**'),
        ('a unit that names none', {'units/x.service': f'# {LICENCE}\n[Unit]\nDocumentation=man:pullauthx(8)\n'},
         'units/x.service', 'pullauthx(8)')],
    'docs-verbs': [('a verb', {'src/ctl/ctl.c': CTL_C.replace('"list"', '"frob"')}, 'src/ctl/ctl.c', "verb 'frob'")],
    'docs-options': [('an option', {'src/ctl/ctl.c': CTL_C.replace('"json"', '"frob"')}, 'src/ctl/ctl.c', '--frob')],
    'docs-reasons': [
        ('a reason in no manual', {'src/base/failure.h': FAILURE_H.replace('_TIMEOUT', '_LATE')},
         'src/base/failure.h', 'not in man/pullauthd'),
        ('a reason in no table', {'src/base/failure.h': FAILURE_H.replace('_TIMEOUT', '_LATE')},
         'src/base/failure.h', 'no row in docs/failures.md'),
        ('a row without reason', {'docs/failures.md': FAILURES_MD + '| `gone` | far |\n'}, 'docs/failures.md',
         "no reason 'gone'"),
        ('an empty cell', {'docs/failures.md': FAILURES_MD.replace('too late', '')}, 'docs/failures.md', 'empty')],
    'docs-actions': [
        ('an action that nobody declares', {'src/daemon/bus.c': BUS_C.replace('1.refresh', '1.frob')},
         'src/daemon/bus.c', 'in no polkit'),
        ('an action that nobody asks for', {'polkit/org.pullauth1.policy': POLICY.replace('1.refresh', '1.frob')},
         'polkit/org.pullauth1.policy', 'asked for nowhere'),
        ('an action in no manual', {'man/org.pullauth1.5.rst': INTERFACE.replace('1.refresh', '1.frob')},
         'polkit/org.pullauth1.policy', 'is not in man')],
    'docs-errors': [('an error', {'src/base/api-error.c': ERROR_C.replace('NoJob', 'NoFrob')}, 'src/base/api-error.c',
                     'Error.NoFrob')],
    'docs-members': [
        ('a property', {'src/daemon/bus.c': BUS_C.replace('"Version"', '"Frob"')}, 'src/daemon/bus.c',
         'D-Bus member Frob'),
        ('a method in no manual', {'dbus/org.pullauth1.Manager.xml': GOLDEN.replace('"Get"', '"Frob"')},
         'dbus/org.pullauth1.Manager.xml', 'D-Bus member Frob'),
        ('other arguments', {'dbus/org.pullauth1.Manager.xml': GOLDEN.replace('"end"', '"frob"')},
         'man/org.pullauth1.5.rst', '-> t frob')],
    'docs-metrics': [('a metric', {'src/daemon/metrics.c': C + OPENING + '#include "base/name.h"\n\n'
                                   'static const Family families[] = {\n        { METRIC_GAUGE, "frob" },\n};\n'},
                      'src/daemon/metrics.c', 'metric frob')],
    'docs-catalog': [
        ('a message without entry', {'units/pullauth.catalog': f'# {LICENCE}\n'}, 'src/model/message-id.h', 'no entry'),
        ('an entry that nobody sends', {'src/model/message-id.h': H + '/* None. */\n'}, 'units/pullauth.catalog',
         'no source'),
        ('a message in no manual', {'man/pullauthd.service.8.rst': page('pullauthd.service', 8, 'REASONS', item(
            '**timeout**', ''))},
         'src/model/message-id.h', 'not in man')],
    'docs-shared': [
        ('an example that nobody installs', {'docs/examples/x.conf': f'# {LICENCE}\n'}, 'docs/examples/x.conf',
         'does not install'),
        ('a file that nobody installs', {'man/pullauthctl.1.rst': page('pullauthctl', 1, 'FILES',
                                                                       '*/usr/share/pullauth/examples/x.conf*')},
         'man/pullauthctl.1.rst', 'is not installed'),
        ('a link to no example', {'docs/page.md': f'<!-- {LICENCE} -->\n[this](examples/x.conf)\n'}, 'docs/page.md',
         'there is no')],
    'clang-format': [('another indentation', with_body('    number++;'), 'src/base/name.c', 'clang-format -i')],
    'shellcheck': [('an unquoted variable', {'tools/run': f'#!/bin/bash\n# {LICENCE}\nrm $1\n'}, 'tools/run', 'quote')],
    'codespell': [('a slip', {'HACKING.md': f'<!-- {LICENCE} -->\nThe wron' 'g adress' '.\n'.replace('wron', 'rigt')},
                   'HACKING.md', 'address')],
    'reuse': [('a licence whose text is missing', {'src/base/name.h': NAME_H.replace('LGPL-2.1-or-later', 'MI' 'T')},
               '.reuse/dep5', 'reuse lint')],
    'python': [
        ('a slip of syntax', {'tests/lib/tool.py': PY + 'def f(:\n'}, 'tests/lib/tool.py', 'syntax'),
        ('an import for nothing', {'tests/lib/tool.py': PY + 'import os\n'}, 'tests/lib/tool.py', 'not used'),
        ('a bare except', {'tests/lib/tool.py': PY + 'try:\n    pass\nexcept:\n    pass\n'}, 'tests/lib/tool.py',
         'bare except'),
        ('grammar newer than the floor', {'tests/lib/tool.py': PY + 'match 1:\n    case _:\n        pass\n'},
         'tests/lib/tool.py', 'atch')],
    'columns': [
        ('a long line of C', with_body('        /* ' + 'x' * 100 + ' */'), 'src/base/name.c', '109 is the limit'),
        ('a long line of Python', {'tests/lib/tool.py': PY + f'X = "{"x" * 120}"\n'}, 'tests/lib/tool.py', '120'),
        ('a blank at the end', with_body('        number++; '), 'src/base/name.c', 'no blanks'),
        ('a tab', with_body('\tnumber++;'), 'src/base/name.c', 'no tabs')],
    'manuals': [
        ('markup that is open', {'man/pullauthctl.1.rst': page('pullauthctl', 1, 'COMMANDS', '**list')},
         'man/pullauthctl.1.rst', 'without end-string'),
        ('two sections of one name', {'man/pullauthctl.1.rst': page('pullauthctl', 1, 'A', 'list', 'A', 'json')},
         'man/pullauthctl.1.rst', 'Duplicate')],
    'xml': [('a tag that is open', {'polkit/org.pullauth1.policy': POLICY.replace('</policyconfig>', '')},
             'polkit/org.pullauth1.policy', 'not well-formed')],
    'linkage': [
        ('libcurl', {'link-options': '-lsystemd -lcurl'}, 'src/daemon/meson.build', 'libcurl'),
        ('GnuTLS', {'link-options': '-lsystemd -lgnutls'}, 'src/daemon/meson.build', 'libgnutls'),
        ('another program', {'link-options': ''}, 'src/daemon/meson.build', 'nothing of use')],
    # The tree that is right comes first: each of these is something that was found clean, and changed.
    'clang-tidy': [
        ('a semicolon too many', with_body('        if (number);', '                number++;'),
         'src/base/name.c', 'suspicious-semicolon'),
        ('a mistake in a header', {'src/base/name.h': NAME_H + SEMICOLON_H}, 'src/base/name.h', 'suspicious-semicolon'),
        ('what only another check finds', {'.clang-tidy': CAMEL_TIDY}, 'src/daemon/bus.c', 'naming')],
}
