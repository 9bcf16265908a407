# SPDX-License-Identifier: LGPL-2.1-or-later
"""A fixture for what is to be seen even if all is well: tools/check repeats lines that begin with the suite's name."""

import pytest


@pytest.fixture
def say(capsys, request):
    suite = request.path.parent.name

    def speak(text):
        with capsys.disabled():
            print(f'\n{suite}: {text}', flush=True)
    return speak
