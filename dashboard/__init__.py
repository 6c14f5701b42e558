"""The Streamlit shell around ``fkd``: what the pages share."""
