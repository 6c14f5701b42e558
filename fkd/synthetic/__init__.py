"""Drawn faces with exact keypoints: the demo data that every installation can make for itself."""

from fkd.synthetic.missingness import kaggle_missingness
from fkd.synthetic.render import render_face, render_faces

RENDERER_VERSION = 1
"""Part of the demo's content identity: raised whenever a face would come out differently."""

__all__ = ["RENDERER_VERSION", "kaggle_missingness", "render_face", "render_faces"]
