# SPDX-License-Identifier: LGPL-2.1-or-later
"""A caller on the bus that does nothing with an answer but receive it: libsystemd, through ctypes."""

import ctypes
import time

from client import NAME


class LeanBus:
    def __init__(self, address):
        self.library = ctypes.CDLL('libsystemd.so.0')
        self.bus = ctypes.c_void_p()
        self.check(self.library.sd_bus_new(ctypes.byref(self.bus)))
        self.check(self.library.sd_bus_set_address(self.bus, address.encode()))
        self.check(self.library.sd_bus_set_bus_client(self.bus, 1))
        self.check(self.library.sd_bus_start(self.bus))

    @staticmethod
    def check(result):
        if result < 0:
            raise OSError(-result, 'libsystemd')

    def call(self, path, interface, member):
        """Seconds from the call to the answer."""
        reply = ctypes.c_void_p()
        begun = time.perf_counter()
        self.check(self.library.sd_bus_call_method(self.bus, NAME.encode(), path.encode(), interface.encode(),
                                                   member.encode(), None, ctypes.byref(reply), None))
        taken = time.perf_counter() - begun
        self.library.sd_bus_message_unref(reply)
        return taken

    def close(self):
        self.library.sd_bus_flush_close_unref(self.bus)
