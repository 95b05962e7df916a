"""The web page in Chromium: what a person sees, types and hears.
Screenshots of it lie in `artifacts/` afterwards.
"""
