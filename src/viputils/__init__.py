"""Makes the Violence Intervention Program's Monthly Informational Report from raw records.

The modules stand in the order in which data flows, and each imports only from those before it:
``errors``, ``periods``, ``language``, ``folders``, ``history``, ``cells``, ``addresses``, ``program``, ``schemas``,
``checksums``, ``library``, ``mirror``, ``objectstore``, ``database``, ``sources``, ``project``, ``settings``,
``csvfile``, ``codes``, ``values``, ``deliveries``, ``cleaning``, ``parquet``, ``figures``, ``manifest``,
``published``, ``handover``, ``edition``, ``series``, ``intervals``, ``signals``, ``assessment``, ``engagement``,
``workbench``, ``checks``, ``revisions``, ``trace``, ``vintages``, ``quality``, ``sheets``, ``dates``, ``exports``,
``intake``, ``changes``, ``verdicts``, ``datapackage``, ``texts``, ``names``, ``particulars``, ``screening``,
``tables``, ``statements``, ``charts``, ``exploration``, ``inspection``, ``diagram``, ``zygote``, ``engine``,
``notebook``, ``render``, ``issue``, ``parcel``, ``backfill``, ``cluster``, ``pages``, ``archive``, ``navigation``,
``feed``, ``searchindex``, ``site``, ``preview``, ``publication``, ``desk``, ``reproduction``, ``lab``, ``terminal``,
``cli``, ``command``.

Analysts begin with ``from viputils import workbench``.
"""

__version__ = "0.1.0"
