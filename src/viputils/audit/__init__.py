"""Whether a number can be trusted: as-of days, the register, manifests, verdicts, traces, revisions and health checks.

In: figures, records, published issues and their manifests. Out: the edition of an issue, verdicts on published figures,
the records behind a figure, and what moved between two days or two commits.
Promise: each difference has its reason named, or is called unexplained.
"""
