"""The Correct page: its canvas, keys, list of points and queue."""
