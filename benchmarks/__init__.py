"""Measurements of what the README claims: ``python -m benchmarks.foundation``."""
