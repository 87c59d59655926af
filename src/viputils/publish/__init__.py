"""What goes public: status, publication, backfill, reproduction and the site.

In: a project and the issues made in it. Out: the register of published issues, many issues at once, and the site.
Promise: one failure does not stop the others, and what was published is never replaced.
"""
