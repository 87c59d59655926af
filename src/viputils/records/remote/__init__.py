"""Deliveries that are in an object store or a database: ``fetch.deliveries_folder`` copies them here."""
