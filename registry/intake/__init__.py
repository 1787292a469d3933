"""Files that come in: bytes -> tables with addresses -> commands, or a report of what is wrong.

Owns every limit on input. Knows no store and no clock; what depends on them is asked elsewhere.
"""
