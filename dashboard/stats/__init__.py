"""The Statistics page, a module per section."""
