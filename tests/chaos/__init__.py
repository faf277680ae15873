"""Chaos: real web and worker processes killed at random under load, and then the books are checked.

`python -m tests.chaos` runs it (`make chaos`): `stage` has the processes, `crowd` their users, `audit` the invariants.
"""
