"""Tests of the Perspective-compatible endpoints."""
