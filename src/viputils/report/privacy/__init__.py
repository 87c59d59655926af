"""Screening: no person may be recognized in what goes public."""
