# SPDX-License-Identifier: LGPL-2.1-or-later
"""The style rules by subject; each module has a table RULES of name → function(tree) → problems."""
