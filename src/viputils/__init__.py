"""Makes the Violence Intervention Program's Monthly Informational Report from raw records.

The modules stand in the order in which data flows, and each imports only from those before it: ``errors``,
``periods``, ``program``, ``project``, ``schemas``, ``deliveries``, ``values``, ``cleaning``, ``figures``,
``published``, ``texts``, ``tables``, ``charts``, ``notebook``, ``render``, ``issue``, ``cli``.
"""

__version__ = "0.1.0"
