"""Labels as people correct them: their states, their history, what to look at next."""
