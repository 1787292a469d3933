"""The write side: facts about enrolment batches and the rules that admit them.

Knows nothing of projections, of the command line, or of the web.
"""

__version__ = "0.1.0"
