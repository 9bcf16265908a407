# SPDX-License-Identifier: LGPL-2.1-or-later
"""The suites that tools/check knows, each a function from a Workshop to a Tally.

Nothing here decides what to run; it only knows how. Every program started is in a session of its own and is
ended as a group when its time is over, so that nothing outlives a run.
"""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tests', 'lib'))

import keep  # noqa: E402
from results import Tally, read_junit, read_meson_log  # noqa: E402

PYTHON = '/usr/bin/python3'
VALGRIND = ('valgrind -q --leak-check=full --show-leak-kinds=definite,indirect '
            '--errors-for-leak-kinds=definite,indirect --num-callers=25')

# Meson takes ccache for a compiler that it finds itself, not for one that it is told.
CLANG = 'ccache clang' if shutil.which('ccache') else 'clang'
# name → (options of meson setup, environment of it)
BUILDS = {
    'check': ([], {}),
    'sanitize': (['-Db_sanitize=address,undefined', '-Dwipe-heap=false', '-Db_lundef=false', '-Doptimization=1'], {}),
    # No fortified functions: valgrind takes the checked memmove() for the checked memcpy().
    'valgrind': (['-Dwipe-heap=false', '-Doptimization=g'], {}),
    'clang': ([], {'CC': CLANG}),
    'fuzz': (['-Dfuzzers=true', '-Db_sanitize=address,undefined', '-Dwipe-heap=false', '-Db_lundef=false'],
             {'CC': CLANG}),
}
STRESS_SECONDS = 3 * 3600
# What the daemon does all day, by callers and targets of every kind; the whole suite is `memory`.
VALGRIND_FILES = ('test_life.py', 'test_targets.py', 'test_identity.py', 'test_bus.py',
                  'test_manage.py', 'test_api_credential.py', 'test_api_metrics.py', 'test_api_signals.py')
UNBUILT = ('style',)  # look at sources alone
PROCESSES = 4  # of bus and quay, whose tests wait for events most of their time
FUZZ_SECONDS = 3600  # for all fuzzers together, unless PULLAUTH_FUZZ_SECONDS says otherwise


class Workshop:
    """Where the tree, the build directories and the logs are, and how programs are run."""

    def __init__(self, top, logs):
        self.top = top
        self.logs = logs
        self.env = dict(os.environ)
        self.env.update(LC_ALL='C.UTF-8', PYTHONDONTWRITEBYTECODE='1', PULLAUTH_TEST_CACHE=self.cache())
        if not self.env.get('HOME') or not os.path.isdir(self.env['HOME']):
            self.env['HOME'] = self.env['PULLAUTH_TEST_CACHE']
        self.configured, self.built = {}, {}
        self.running = set()
        self.stopping = threading.Event()

    @staticmethod
    def cache():
        return keep.place() or sys.exit('no place for caches, set PULLAUTH_TEST_CACHE')

    def builddir(self, name):
        return os.path.join(self.top, 'build-check' if name == 'check' else f'build-check-{name}')

    def run(self, command, log, timeout, env=None):
        """Returns the status, or None if the time was over. Output goes to the file `log` alone."""
        if self.stopping.is_set():
            return None
        with open(os.path.join(self.logs, log), 'ab') as out:
            out.write(f'+ {" ".join(command)}\n'.encode())
            out.flush()
            process = subprocess.Popen(command, cwd=self.top, env={**self.env, **(env or {})},
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                       start_new_session=True)
            self.running.add(process)
            try:
                if self.stopping.is_set():
                    return None
                return process.wait(timeout)
            except subprocess.TimeoutExpired:
                return None
            finally:
                end_group(process)
                self.running.discard(process)

    def end_all(self):
        """For a run that was told to stop: its threads end with it, what they started would not."""
        self.stopping.set()
        for process in list(self.running):
            end_group(process)

    def tail(self, log, lines=40):
        with open(os.path.join(self.logs, log), encoding='utf-8', errors='replace') as text:
            return ''.join(text.readlines()[-lines:])

    def configure(self, name):
        """Once per run. Returns the text of the failure, or None."""
        if name not in self.configured:
            self.configured[name] = self.configure_now(name)
        return self.configured[name]

    def build(self, name):
        """Configures and compiles once per run. Returns the text of the failure, or None."""
        if name not in self.built:
            self.built[name] = self.configure(name) or self.compile_now(name)
        return self.built[name]

    def compile_now(self, name):
        log = f'build-{name}.log'
        status = self.run(['ninja', '-C', self.builddir(name)], log, 900, BUILDS[name][1])
        return self.tail(log) if status != 0 else None

    def configure_now(self, name):
        options, env = BUILDS[name]
        directory, log = self.builddir(name), f'build-{name}.log'
        setup = ['meson', 'setup', '--werror', '--fatal-meson-warnings', *options, directory, self.top]
        configured = None
        if os.path.exists(os.path.join(directory, 'build.ninja')):
            configured = self.run([*setup[:2], '--reconfigure', *setup[2:]], log, 300, env)
        if configured != 0:
            shutil.rmtree(directory, ignore_errors=True)
            configured = self.run(setup, log, 300, env)
        return self.tail(log) if configured != 0 else None

    def meson_suites(self, name='check'):
        """Suites that have a test in this build; empty if it is not configured."""
        found = subprocess.run(['meson', 'introspect', '--tests', self.builddir(name)], env=self.env,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            tests = json.loads(found.stdout)
        except ValueError:
            return set()
        return {suite.split(':')[-1] for test in tests for suite in test['suite']}

    def has_pytest(self, directory):
        return bool(glob.glob(os.path.join(self.top, 'tests', directory, '**', 'test_*.py'), recursive=True))


def end_group(process):
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            pass


def failed(name, text):
    tally = Tally()
    tally.fail(name, text)
    return tally


def meson_test(workshop, suite, build='check', timeout=600, scale=3, options=(), env=None):
    trouble = workshop.configure(build) if suite in UNBUILT else workshop.build(build)
    if trouble:
        return failed(f'{suite}: build', trouble)
    logbase = f'testlog-{suite}'
    # With a wrapper meson appends its name.
    pattern = os.path.join(workshop.builddir(build), 'meson-logs', f'{logbase}*.json')
    for path in glob.glob(pattern):
        os.unlink(path)
    log = f'{build}-{suite}.log'
    status = workshop.run(['meson', 'test', '-C', workshop.builddir(build), '--no-rebuild', '--suite', suite,
                           '--logbase', logbase, '--timeout-multiplier', str(scale), *options],
                          log, timeout, env)
    found = glob.glob(pattern)
    if len(found) != 1:
        return failed(f'{suite}: meson test', f'{len(found)} reports\n{workshop.tail(log)}')
    tally = read_meson_log(found[0])
    if status is None:
        tally.fail(f'{suite}: meson test', f'not done after {timeout} s')
    elif tally.ran == 0 or (status != 0 and tally.failed == 0):
        tally.fail(f'{suite}: meson test', f'status {status}, {tally.ran} results\n{workshop.tail(log)}')
    return tally


def pytest(workshop, directory, build='check', timeout=600, env=None, root=False, processes=0, files=()):
    """`processes`: how many of them share the files of the suite, for one whose tests wait more than they work."""
    trouble = workshop.build(build)
    if trouble:
        return failed(f'{directory}: build', trouble)
    log, report = f'{build}-{directory}.log', os.path.join(workshop.logs, f'{build}-{directory}.xml')
    library = os.path.join(workshop.top, 'tests', 'lib')
    settings = {'PULLAUTH_BUILD': workshop.builddir(build), 'PYTHONPATH': library, **(env or {})}
    shared = ['-n', str(processes), '--dist', 'loadfile'] if processes else []
    command = [PYTHON, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-p', 'limits', f'--junitxml={report}',
               *shared, *(os.path.join('tests', directory, name) for name in files or [''])]
    if root and os.geteuid() != 0:
        names = ','.join([*settings, 'PULLAUTH_TEST_CACHE', 'PYTHONDONTWRITEBYTECODE'])
        command = ['sudo', '-n', f'--preserve-env={names}', *command]
    status = workshop.run(command, log, timeout, settings)
    if not os.path.exists(report):
        why = f'not done after {timeout} s' if status is None else f'status {status}'
        return failed(f'{directory}: pytest', f'{why}, no report\n{workshop.tail(log)}')
    tally = read_junit(report)
    if status != 0 and tally.failed == 0:
        tally.fail(f'{directory}: pytest', f'status {status}, {tally.ran} results\n{workshop.tail(log)}')
    return tally


def fresh_directory(workshop, name):
    path = os.path.join(workshop.logs, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    os.chmod(path, 0o1777)  # programs under test may run as other users
    return path


# How valgrind begins a line about itself, a system call that it does not know for example; errors begin "==".
REMARK = re.compile(r'--\d+--')


def memory_reports(directory, tally, what):
    """Whatever a sanitizer or valgrind wrote about the programs a test rig started is a failure."""
    for path in sorted(glob.glob(os.path.join(directory, '*'))):
        with open(path, encoding='utf-8', errors='replace') as report:
            text = ''.join(line for line in report if line.strip() and not REMARK.match(line))
        if text:
            tally.fail(f'{what}: {os.path.basename(path)}', text)


def suite_sanitize(workshop):
    reports = fresh_directory(workshop, 'sanitize-reports')
    common = 'halt_on_error=1:abort_on_error=0:print_stacktrace=1'
    env = {'ASAN_OPTIONS': f'{common}:detect_leaks=1:detect_stack_use_after_return=1',
           'UBSAN_OPTIONS': common}
    tally = Tally()
    suites = workshop.meson_suites('sanitize') if not workshop.build('sanitize') else {'unit'}
    for suite in sorted({'unit', 'fuzz'} & (suites | {'unit'})):
        tally.add(meson_test(workshop, suite, 'sanitize', env=env))
    if workshop.has_pytest('bus'):
        rig = {'ASAN_OPTIONS': f'{env["ASAN_OPTIONS"]}:log_path={reports}/asan',
               'UBSAN_OPTIONS': f'{common}:log_path={reports}/ubsan', 'PULLAUTH_TEST_SLOW': '3'}
        tally.add(pytest(workshop, 'bus', 'sanitize', 1200, env=rig, processes=PROCESSES))
        memory_reports(reports, tally, 'sanitize')
    return tally


def valgrind_wrapper(workshop, reports):
    """A program that runs another under valgrind. Numbers of processes come again, so its report has the time, too."""
    path = os.path.join(workshop.logs, 'under-valgrind')
    with open(path, 'w', encoding='utf-8') as script:
        script.write('#!/bin/sh\nread up idle </proc/uptime\n'
                     f'exec {shutil.which("valgrind")} {VALGRIND.split(" ", 1)[1]} --log-file={reports}/$$-$up "$@"\n')
    os.chmod(path, 0o755)
    return path


def bus_under_valgrind(workshop, timeout, files=()):
    reports = fresh_directory(workshop, 'valgrind-reports')
    rig = {'PULLAUTH_TEST_WRAPPER': valgrind_wrapper(workshop, reports), 'PULLAUTH_TEST_SLOW': '10'}
    tally = pytest(workshop, 'bus', 'valgrind', timeout, env=rig, processes=PROCESSES, files=files)
    memory_reports(reports, tally, 'valgrind')
    return tally


def suite_valgrind(workshop):
    wrapper = f'--wrapper={VALGRIND} --error-exitcode=99'
    tally = meson_test(workshop, 'unit', 'valgrind', 900, 10, [wrapper])
    if workshop.has_pytest('bus'):
        tally.add(bus_under_valgrind(workshop, 1500, VALGRIND_FILES))
    return tally


def suite_spoken(workshop, directory, env=None, timeout=400):
    """A suite that says figures (tests/lib/notes.py), which are repeated."""
    tally = pytest(workshop, directory, timeout=timeout, env=env, root=True)
    log, mark = os.path.join(workshop.logs, f'check-{directory}.log'), f'{directory}: '
    if os.path.exists(log):
        with open(log, encoding='utf-8', errors='replace') as text:
            tally.notes += [line[len(mark):].strip() for line in text if line.startswith(mark)]
    return tally


# How pytest sets the parts of its report apart, and how the report ends.
SECTION, LAST = re.compile(r'=+ (.+) =+$'), re.compile(r'\d+ \w+.* in \d+\.\d+s')


def suite_figures(workshop, directory, root=False):
    """A suite whose figures are kept in bench.json, and shown (tests/lib/figures.py)."""
    tally = pytest(workshop, directory, timeout=1800, root=root)
    log, title = os.path.join(workshop.logs, f'check-{directory}.log'), None
    if os.path.exists(log):
        with open(log, encoding='utf-8', errors='replace') as text:
            for line in text:
                found = SECTION.match(line.strip())
                title = found.group(1) if found else title
                if not found and title == 'figures' and not LAST.match(line):
                    tally.figures.append(line.rstrip())
    return tally


def suite_campaign(workshop):
    """The stress suite with all its points and rounds, then the fuzzers."""
    tally = Tally()
    if workshop.has_pytest('stress'):
        tally.add(suite_spoken(workshop, 'stress', {'PULLAUTH_STRESS': 'long'}, STRESS_SECONDS))
    tally.add(fuzz_campaign(workshop))
    return tally


def fuzz_campaign(workshop):
    """Each fuzzer searches for its share of the time; what it learned is kept in the cache for the next campaign."""
    trouble = workshop.build('fuzz')
    if trouble:
        return failed('campaign: build', trouble)
    programs = sorted(path for path in glob.glob(os.path.join(workshop.builddir('fuzz'), 'tests', 'fuzz', 'fuzz-*'))
                      if os.path.isfile(path) and os.access(path, os.X_OK))
    share = int(os.environ.get('PULLAUTH_FUZZ_SECONDS', FUZZ_SECONDS)) // max(1, len(programs))
    findings, tally = fresh_directory(workshop, 'fuzz-findings'), Tally()
    for program in programs:
        name = os.path.basename(program)[len('fuzz-'):]
        learned = os.path.join(workshop.env['PULLAUTH_TEST_CACHE'], 'corpus', name)
        os.makedirs(learned, exist_ok=True)
        seeds = os.path.join(workshop.top, 'tests', 'fuzz', 'corpus', name)
        status = workshop.run([program, f'-max_total_time={share}', '-timeout=10', '-print_final_stats=1',
                               f'-artifact_prefix={findings}/{name}-', learned, seeds], f'fuzz-{name}.log', share + 120)
        if status == 0:
            tally.passed += 1
            tally.notes.append(f'{name}: {executions(workshop.tail(f"fuzz-{name}.log", 12))} inputs in {share} s')
        else:
            tally.fail(f'fuzz-{name}', f'status {status}, its input is in {findings}\n'
                                       f'{workshop.tail(f"fuzz-{name}.log")}')
    return tally


def executions(text):
    found = re.search(r'number_of_executed_units:\s*(\d+)', text)
    return found.group(1) if found else '?'


SUITES = {
    'unit': lambda w: meson_test(w, 'unit'),
    'style': lambda w: meson_test(w, 'style'),
    'tidy': lambda w: meson_test(w, 'tidy', timeout=1800),
    'fuzz': lambda w: meson_test(w, 'fuzz'),
    'bus': lambda w: pytest(w, 'bus', timeout=900, processes=PROCESSES),
    'quay': lambda w: pytest(w, 'quay', timeout=900, processes=PROCESSES),
    'identity': lambda w: pytest(w, 'identity', timeout=900, processes=PROCESSES),
    'stress': lambda w: suite_spoken(w, 'stress'),
    'host': lambda w: suite_spoken(w, 'host', timeout=1500),
    'sanitize': suite_sanitize,
    'valgrind': suite_valgrind,
    'clang': lambda w: meson_test(w, 'unit', 'clang'),
    'campaign': suite_campaign,
    'memory': lambda w: bus_under_valgrind(w, 7200),
    'bench': lambda w: suite_figures(w, 'bench', root=True),
    'fleet': lambda w: suite_figures(w, 'fleet'),
}
PYTESTS = ('bus', 'quay', 'identity', 'stress', 'host', 'bench', 'fleet')
