"""Predict: the keypoints of every face on a photo."""

from __future__ import annotations

from dashboard.prediction import inputs, overview, photo, view, work
from dashboard.prediction.controls import controls

shown = view.enter()
job = controls(shown)
view.write(shown)
if chosen := inputs.photos(shown):
    work.predict(job, chosen)
    if (open_one := overview.show(job, chosen)) is not None:
        photo.show(shown, job, *open_one)
