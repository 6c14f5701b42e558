"""What a dataset looks like and what is odd in it: pure functions over arrays.

Images are ``(N, H, W)`` uint8, keypoints ``(N, K, 2)`` float32 in px with NaN for a missing point;
both may be memory-mapped, and everything works through them in chunks.

- ``missing``: which points are there, in which patterns, and from which label source;
- ``coordinates``: summaries of the coordinates, points outside the image, densities, mean face;
- ``shape_model``: how probable a face's points are, each point given the others;
- ``em``: the fit behind it; ``thresholds``: from when on it is worth a look;
- ``swaps``: labels of left and right exchanged;
- ``quality``: brightness, contrast and sharpness, and images that stand out by them;
- ``duplicates``: the same picture twice, within training and between training and test.

Import the modules themselves: this package imports none of them, so it costs nothing.
"""
