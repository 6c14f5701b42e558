"""From when on something is worth a look; apart from what computes it, to be cheap to import."""

OUTLIER_SCORE = 3.0
"""Score from which a row or a point deserves a look: one face in a thousand is so unusual.

Chosen on 2,855 real faces, with strong poses and mostly careful labels. There 6 rows and a point
in each of 22 rows reach it: a few plain mistakes, the others profiles, grimaces and covered mouths,
so it selects what to look at, not what to drop. Of single points moved by 8 px it finds 96 % in
rows of many points and 24 % in rows of four, where the other points say less; at 4.0 it would be
89 % and 5 %.
"""
