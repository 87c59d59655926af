"""Makes the Violence Intervention Program's Monthly Informational Report from raw records.

The modules stand in the order in which data flows, and each imports only from those before it:
``errors``, ``periods``, ``folders``, ``cells``, ``program``, ``project``, ``schemas``, ``csvfile``, ``checksums``,
``deliveries``, ``values``, ``cleaning``, ``figures``, ``edition``, ``checks``, ``published``, ``revisions``,
``sheets``, ``exports``, ``intake``, ``texts``, ``tables``, ``charts``, ``notebook``, ``render``, ``issue``,
``terminal``, ``cli``.
"""

__version__ = "0.1.0"
