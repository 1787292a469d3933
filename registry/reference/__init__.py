"""Reference data and its look-up: areas, categories, and the words of the closed lists.

Everything here is read from the CSV files beside it (README.md says where they come from) and is
the same in every store. It must not know events, databases or files of the user. Kept empty, so
that asking for an area does not load what only an import needs.
"""
