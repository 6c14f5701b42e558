"""fkd: facial keypoints, from label files to measured, browsable datasets."""

__version__ = "0.1.0"
