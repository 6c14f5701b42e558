"""Predict: the keypoints of every face on a photo."""

from __future__ import annotations

import streamlit as st

from dashboard.datasets import strip
from dashboard.guard import safely
from dashboard.prediction import downloads, inputs, overview, photo, view, work
from dashboard.prediction.controls import controls
from dashboard.words import plain

shown = view.enter()
job = controls(shown)
view.write(shown)
chosen = inputs.photos(shown)
if not chosen:
    st.info(
        "Drop photos of people above, take one with the camera, or pick an example.",
        icon=":material/add_a_photo:",
    )
    st.stop()
if (task := work.predict(job, chosen)) is not None:
    if task.state == "running":
        strip.wait_for(task)
    else:
        if task.state == "failed":
            st.error(plain(task.message), icon=":material/error:")
        else:
            st.info("Stopped; what was done by then is shown.", icon=":material/stop_circle:")
        st.button("Go on", type="primary", on_click=safely("predicting", work.again))
found = work.desk().found
photos = [(one, found[job.key(one)]) for one in chosen if job.key(one) in found]
if not photos:
    st.stop()
at = overview.pick(photos)
photo.show(job, *photos[at])
downloads.buttons(photos, at)
if len(photos) > 1:
    overview.table(photos)
    overview.failures(photos)
