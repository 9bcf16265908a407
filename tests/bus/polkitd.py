# SPDX-License-Identifier: LGPL-2.1-or-later
"""A polkit whose rules are a function of the test, and that remembers what it was asked."""

from client import GLib
from stub import Stub

XML = """<node><interface name="org.freedesktop.PolicyKit1.Authority">
  <method name="CheckAuthorization">
    <arg type="(sa{sv})" direction="in"/><arg type="s" direction="in"/><arg type="a{ss}" direction="in"/>
    <arg type="u" direction="in"/><arg type="s" direction="in"/><arg type="(bba{ss})" direction="out"/>
  </method>
  <method name="CancelCheckAuthorization"><arg type="s" direction="in"/></method>
</interface></node>"""


class Polkitd(Stub):
    """`rule(action, details)` is True, False, None (yes after a dialog), BROKEN (an error) or HOLD (no answer
    before release())."""

    HOLD = 'hold'
    BROKEN = 'broken'

    NAME, PATH, XML = 'org.freedesktop.PolicyKit1', '/org/freedesktop/PolicyKit1/Authority', XML

    def __init__(self, address, rule=lambda action, details: False, slow=1):
        self.rule = rule
        self.questions = []  # (action, details)
        self.cancelled = []
        self.held = []
        super().__init__(address, slow)

    def on_call(self, _connection, _sender, _path, _interface, method, parameters, invocation):
        with self.changed:
            if method == 'CheckAuthorization':
                _subject, action, details, _flags, _id = parameters.unpack()
                self.questions.append((action, details))
                verdict = self.rule(action, details)
                if verdict == self.HOLD:
                    self.held.append(invocation)
                else:
                    self.answer(invocation, verdict)
            else:
                self.cancelled.append(parameters.unpack()[0])
                invocation.return_value(None)
            self.changed.notify_all()

    @staticmethod
    def answer(invocation, verdict):
        if verdict == Polkitd.BROKEN:
            invocation.return_dbus_error('org.freedesktop.PolicyKit1.Error.Failed', 'polkit is broken')
            return
        invocation.return_value(GLib.Variant('((bba{ss}))', ((verdict is True, verdict is None, {}),)))

    def wait_asked(self, n=1, timeout=20):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.questions) >= n, timeout * self.slow), self.questions

    def wait_cancelled(self, n=1, timeout=20):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.cancelled) >= n, timeout * self.slow), self.questions

    def release(self, verdict=True):
        """Answers what is held, and returns once the daemon has heard it."""
        with self.changed:
            held, self.held = self.held, []
        for invocation in held:
            self.answer(invocation, verdict)
        self.wait_heard()
