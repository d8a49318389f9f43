"""Tests of the pages: their commands, tables, site and examples."""
