"""The networks: how they are built, saved, loaded and asked.

Only ``sources`` can be imported without TensorFlow.
"""
