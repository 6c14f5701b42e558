"""The Data page: registered datasets, ways to add one, work in progress."""
