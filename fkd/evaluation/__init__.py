"""How good predictions are: pure functions over points in px, NaN where a label is missing.

- ``metrics``: each metric, once;
- ``scores``: all of them together, for all rows and for each label source;
- ``floor``: the error that the labels' own noise leaves to a perfect model;
- ``gain``: what became of the errors from one model to another, and how sure that is;
- ``corrections``: what was corrected between two states of the labels.

Import the modules themselves: this package imports none of them, so it costs nothing.
"""
