"""The Train page: its form, the runs, and a run watched live."""
