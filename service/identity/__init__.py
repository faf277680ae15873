"""Who somebody is: readers (guests and host-signed), staff, and a host's API keys. Knows no Flask.

The three never mix: a reader's token carries no staff power whatever it claims, and staff work is first-party only.
"""
