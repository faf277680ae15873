"""The tests: on a real migrated database, over real HTTP, in a real browser; no mocks of our own code."""
