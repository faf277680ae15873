"""The widget in a real browser, on a page of a foreign origin, against the real service."""
