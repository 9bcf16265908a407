# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who includes whom: layers, cycles, which libraries are seen where, and the order of includes (S11).

There is no list of exceptions to these rules.
"""

import os
import re

from tree import line_of

# What each directory of src/ may see. Lower layers stand to the left of higher ones.
SEES = {
    'base': ['base'],
    'codec': ['base', 'codec'],
    'io': ['base', 'codec', 'io'],
    'model': ['base', 'codec', 'model'],
    'worker': ['base', 'codec', 'io', 'model', 'worker'],
    'daemon': ['base', 'codec', 'io', 'model', 'daemon'],
    'client': ['base', 'codec', 'io', 'client'],
    'ctl': ['base', 'codec', 'io', 'model', 'client', 'ctl'],
    'helper': ['base', 'codec', 'io', 'client', 'helper'],
    'kubelet': ['base', 'codec', 'io', 'client', 'kubelet'],
}

# Library → the files that may see it; everybody else goes through what these offer.
LIBRARIES = {
    'curl/': r'src/io/(http|grpc)[^/]*\.c',
    'nettle/': r'src/base/hash\.c',
    'gnutls/': r'src/worker/.*\.c',
    'json-c/': r'src/codec/.*',
    'json.h': r'nothing',
    'libsmartcols/': r'src/ctl/.*\.c',
}

# Within the worker: sources of identities know neither each other nor the exchange, and the exchange knows no
# source. `identity` and `source` are the names that their common interface may have.
IDENTITY_COMMON = ('identity', 'source', 'identity-source', 'sources', 'identity-sources')

# Headers that the build makes; they stand in no directory of the tree.
GENERATED = ('config.h', 'completion-scripts.h')

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes(tree, path):
    """(line, kind, name) of each include, kind being '<' or '"'."""
    text = tree.text(path)
    return [(line_of(text, m.start()), m.group(1), m.group(2)) for m in INCLUDE.finditer(text)]


def module(path):
    """foo.c and foo.h are one module, named without src/ and ending."""
    return os.path.splitext(path[len('src/'):] if path.startswith('src/') else path)[0]


def layers(tree):
    for path in tree.sources:
        home = path.split('/')[1]
        if home not in SEES:
            yield path, 1, f'src/{home} is in no layer, give it one in tests/style/rules/graph.py'
            continue
        for line, kind, name in includes(tree, path):
            if kind != '"' or name in GENERATED:
                continue
            there = name.split('/')[0] if '/' in name else None
            if there is None:
                yield path, line, f'write the directory with it: "{home}/{name}" (S11)'
            elif 'src/' + name not in tree.files:
                yield path, line, f'there is no src/{name}'
            elif there not in SEES[home]:
                yield path, line, f'src/{home} must not see src/{there}, it sees {" ".join(SEES[home])} (S11)'


def cycles(tree):
    edges = {}
    for path in tree.sources:
        own = module(path)
        for line, kind, name in includes(tree, path):
            if kind == '"' and '/' in name and module(name) != own:
                edges.setdefault(own, {}).setdefault(module(name), (path, line))
    for group in strongly_connected(edges):
        names = sorted(group)
        path, line = next(place for other, place in edges[names[0]].items() if other in group)
        yield path, line, f'these modules include each other: {" ".join(names)}; move what they share into a ' \
            'header that includes none of them, or let the lower one report through an observer (S11)'


def strongly_connected(edges):
    """Groups of two and more nodes that reach each other."""
    reach = {}
    nodes = set(edges) | {other for targets in edges.values() for other in targets}
    for node in nodes:
        seen, waiting = set(), list(edges.get(node, ()))
        while waiting:
            other = waiting.pop()
            if other not in seen:
                seen.add(other)
                waiting += edges.get(other, ())
        reach[node] = seen
    groups = {frozenset(other for other in reach[node] if node in reach[other])
              for node in nodes if node in reach[node]}
    return [group for group in groups if len(group) > 1]


def libraries(tree):
    for path in tree.sources:
        for line, kind, name in includes(tree, path):
            for library, where in LIBRARIES.items():
                if kind == '<' and name.startswith(library) and not re.fullmatch(where, path):
                    yield path, line, f'<{name}> is for {where} alone, use what that offers (S11)'


def identities(tree):
    for path in tree.matching('src/worker/identity/*', 'src/worker/exchange/*'):
        here, own = path.split('/')[2], module(path)
        for line, kind, name in includes(tree, path):
            parts = module(name).split('/')
            if kind != '"' or parts[0] != 'worker' or len(parts) < 3 or module(name) == own:
                continue
            if {here, parts[1]} == {'identity', 'exchange'}:
                yield path, line, 'a source of identities and an exchange know nothing of each other (S11)'
            elif here == parts[1] == 'identity' and parts[-1] not in IDENTITY_COMMON and \
                    own.split('/')[-1] not in IDENTITY_COMMON:
                yield path, line, 'sources of identities never include each other (S11)'


def order(tree):
    for path in tree.all_c:
        found = includes(tree, path)
        own = [(line, name) for line, kind, name in found if kind == '"']
        last_external = max((line for line, kind, _ in found if kind == '<'), default=0)
        names = [name for _, name in own if '/' in name]
        if own and last_external and own[0][0] < last_external and path.startswith('src/'):
            yield path, own[0][0], 'external <> includes come first, then a blank line, then our own (S11)'
        if names != sorted(names):
            yield path, own[0][0], 'sort our own includes by name (S11)'
        doubled = {name for _, _, name in found if [n for _, _, n in found].count(name) > 1}
        for name in sorted(doubled):
            yield path, 1, f'{name} is included twice'


RULES = {'layers': layers, 'cycles': cycles, 'libraries': libraries, 'identities': identities,
         'include-order': order}
