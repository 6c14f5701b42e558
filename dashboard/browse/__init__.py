"""The Browse page: its link, controls, grid and single face."""
