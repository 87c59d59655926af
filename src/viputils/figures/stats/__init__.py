"""Statistics without knowledge of the program: intervals and control charts."""
