"""The real Detoxify, with torch: `make test-detoxify` runs these."""
