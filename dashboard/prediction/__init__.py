"""The Predict page: photos in, the keypoints of every face out."""
