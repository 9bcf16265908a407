# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for a Quay registry with robot federation, and for the OIDC issuer behind it.

Run it with `python3 -m quaysim --dir DIR`, talk to it with quaysim.client.Rig. README.md one directory up says
what is imitated, what is real and what can be told to go wrong.
"""
