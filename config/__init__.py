"""How one installation is set: the settings, the shipped policy and the word lists. Imports nothing of ours."""
