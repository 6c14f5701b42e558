"""Training: what to train (config), where it is kept (runs), how it is started and watched.

Only ``worker``, ``loop`` and what they use (``pipeline``, ``validation``)
import TensorFlow; the rest is what dashboards and command lines need.
"""
