# SPDX-License-Identifier: LGPL-2.1-or-later
"""What docs/fleet.md shows of the runs: its table, made from their output, and its plots."""

import os

from plot import Plot

HERE = os.path.dirname(os.path.abspath(__file__))
DOCS = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'docs')
PAGE = os.path.join(DOCS, 'fleet.md')
BEGIN, END = '<!-- figures: begin -->\n', '<!-- figures: end -->\n'
HOURS = (0, 3, 6, 12, 24, 47)
SPREAD = ('switched-on', 'switched-on-limited', 'clocks', 'reissued')
OUTAGES = ('outage', 'outage-retry-after', 'outage-errors')
PERIOD = 2340  # seconds between refreshes of a token of an hour: 65 % of its life


def floor(run):
    """Peak of an hour of a perfectly spread fleet: the mean over the hours, so that luck is not in it."""
    return sum(run['floor_hours']) / len(run['floor_hours'])


def peak_ratio(run):
    return max(run['hours']) / floor(run)


def first_minute(run):
    return max(run['after_outage'][:60])


def recovery_ratio(run):
    return first_minute(run) / run['capacity']


def recovery_time(run):
    return run['recovered'] - run['outage_end']


def recovery_bound(run):
    """The backlog at what the registry has to spare, and the longest wait of a host that it refused last."""
    steady = run['hosts'] / PERIOD
    backlog = steady * (run['outage_end'] - run['outage_at'])
    return backlog / (run['capacity'] - steady) + 300


def start_bound(run):
    """All at once are a backlog of everybody. They come in waves at first, which costs another longest wait."""
    return run['hosts'] / (run['capacity'] - run['hosts'] / PERIOD) + 600


def row(*cells):
    return '| ' + ' | '.join(str(cell) for cell in cells) + ' |\n'


def tables(runs):
    lines = [row('scenario', *(f'hour {h}' for h in HOURS), 'highest', 'ratio'), row(*['---'] * (len(HOURS) + 3))]
    for name in SPREAD:
        run = runs[name]
        lines.append(row(f'`{name}`', *(run['hours'][h] if h < run['hours_n'] else '–' for h in HOURS),
                         max(run['hours']), '–' if run['capacity'] else f'{peak_ratio(run):.2f}'))
    perfect = runs['switched-on']
    lines.append(row('perfectly spread', *(perfect['floor_hours'][h] for h in HOURS), max(perfect['floor_hours']),
                     f'1 = {floor(perfect):.1f}'))
    lines += ['\n', row('scenario', 'capacity', 'peak of the first minute', 'ratio', 'all served after', 'bound',
                        'ran out', 'without, mean and longest', 'attempts of all, failed',
                        'most attempts of one host in an hour'), row(*['---'] * 10)]
    for name in OUTAGES:
        run = runs[name]
        lines.append(row(f'`{name}`', f'{run["capacity"]}/s', f'{first_minute(run)}/s', f'{recovery_ratio(run):.2f}',
                         f'{recovery_time(run)} s', f'{recovery_bound(run):.0f} s', run['expired'],
                         f'{run["without_mean"]} s, {run["without_max"]} s',
                         f'{run["attempts"]}, {run["failures"]}', run['attempts_hour_max']))
    return ''.join(lines)


def by_five_minutes(series):
    return [max(series[i:i + 5]) for i in range(0, len(series), 5)]


def over_days(title, run):
    plot = Plot(title, 'hour', run['hours_n'], height=100)
    plot.add('highest second of five minutes', by_five_minutes(run['offered']))
    if 'handshakes' in run:
        plot.add('handshakes that failed', by_five_minutes(run['handshakes']))
    plot.level('highest second of an hour, perfectly spread', floor(run))
    return plot.svg()


def plots(runs):
    """File name → text."""
    outage = Plot('Requests per second about an outage of 25 minutes in hour 6', 'minute', 120, first=330)
    for name in OUTAGES:
        outage.add(name, runs[name]['offered'][330:450])
    outage.level('capacity', runs['outage']['capacity'])
    return {
        'fleet-switched-on.svg': over_days('All switched on in one second', runs['switched-on']),
        'fleet-clocks.svg': over_days('One clock in ten is wrong', runs['clocks']),
        'fleet-reissued.svg': over_days('All told to refresh in one second of hour 6', runs['reissued']),
        'fleet-outage.svg': outage.svg(),
    }


def page_with(table):
    with open(PAGE, encoding='utf-8') as page:
        before, rest = page.read().split(BEGIN)
    return before + BEGIN + table + END + rest.split(END)[1]


def write(directory, files):
    for name, content in files.items():
        with open(os.path.join(directory, name), 'w', encoding='utf-8') as out:
            out.write(content)
