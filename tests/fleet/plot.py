# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small SVG plots of series over time. No library: a plot here is one polyline for each series and a grid.

Texts and lines have one grey that can be read on white and on black.
"""

from xml.sax.saxutils import escape

WIDTH, HEIGHT = 900, 320
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 46, 40
GREY = '#808080'
COLOURS = ('#1f77b4', '#d95f02', '#2ca02c', '#b8860b')


def nice(top):
    """The smallest of 1, 2, 5 × 10ⁿ with at most six steps up to `top`."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if top / (step * factor) <= 6:
                return step * factor
        step *= 10


def text(x, y, words, anchor='middle'):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(str(words))}</text>'


def line(x1, y1, x2, y2, dash=''):
    dashes = f' stroke-dasharray="{dash}"' if dash else ''
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{GREY}" stroke-width="0.5"{dashes}/>'


def points(values, to_x, to_y):
    """Series are long: points that lie on the line between their neighbours are left out."""
    kept = [(i, v) for i, v in enumerate(values)
            if i in (0, len(values) - 1) or not values[i - 1] == v == values[i + 1]]
    return ' '.join(f'{to_x(i):.1f},{to_y(v):.1f}' for i, v in kept)


class Plot:
    def __init__(self, title, x_unit, span, first=0, height=None):
        """`span` in units of x, `first` where x begins; `height` cuts off what is higher."""
        self.title, self.x_unit, self.span, self.first, self.height = title, x_unit, span, first, height
        self.series, self.levels = [], []

    def add(self, label, values):
        self.series.append((label, values))

    def level(self, label, value):
        """A dashed line across."""
        self.levels.append((label, value))

    def top(self):
        if self.height:
            return self.height
        return 1.08 * max([max(values) for _, values in self.series] + [value for _, value in self.levels])

    def svg(self):
        top = self.top()
        inner_x, inner_y = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

        def to_y(value):
            return TOP + inner_y * (1 - min(value, top) / top)

        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                 f'font-family="sans-serif" font-size="12" fill="{GREY}">',
                 '<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->',
                 text(LEFT, 16, self.title, 'start')]
        step = nice(top)
        for value in range(0, int(top) + 1, step):
            parts.append(line(LEFT, to_y(value), WIDTH - RIGHT, to_y(value)))
            parts.append(text(LEFT - 6, to_y(value) + 4, value, 'end'))
        step = nice(self.span / 2)
        for x in range(0, self.span + 1, step):
            place = LEFT + inner_x * x / self.span
            parts += [line(place, TOP, place, HEIGHT - BOTTOM), text(place, HEIGHT - BOTTOM + 16, self.first + x)]
        parts.append(text(WIDTH - RIGHT, HEIGHT - 6, self.x_unit, 'end'))
        for value in [value for _, value in self.levels]:
            parts.append(line(LEFT, to_y(value), WIDTH - RIGHT, to_y(value), '6 3').replace('"0.5"', '"1.5"'))
        for number, (label, values) in enumerate(self.series):
            colour = COLOURS[number % len(COLOURS)]
            parts.append(f'<polyline fill="none" stroke="{colour}" points="' + points(
                values, lambda i, n=len(values): LEFT + inner_x * i / (n - 1), to_y) + '"/>')
            parts.append(text(LEFT + 240 * number, 34, label, 'start').replace('<text', f'<text fill="{colour}"'))
        for number, (label, _) in enumerate(self.levels, len(self.series)):
            parts.append(text(LEFT + 240 * number, 34, f'- - {label}', 'start'))
        return '\n'.join(parts + ['</svg>', ''])
