"""From a photo to the keypoints of every face on it."""
