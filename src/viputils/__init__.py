"""Makes the Violence Intervention Program's Monthly Informational Report from raw records.

Data flows through the rooms from the bottom to the top, and each room imports only from rooms on lower lines::

    cli                  the command line
    publish | lab        what goes public | what analysts use
    report | workbench   from a month to the pages of one issue | the analysts' way in
    intake | audit       agency files to one delivery | register, verdicts, trace, manifest, comparisons
    figures              clean tables to numbers
    records              deliveries to clean tables
    config               program.toml, projects, languages
    core                 errors, months, files, git

``make lint`` checks the directions. Analysts begin with ``from viputils import workbench``.
"""

__version__ = "1.0.0"
