"""THE EDGE: the only place, with app.py and cli, where Flask exists. Runs no queries; it calls use cases."""
