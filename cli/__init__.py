"""The command line: parse, call, print, exit code.

Thin on purpose: knows the questions of `projections` and the commands of `registry`, and holds
no rule of either.
"""
