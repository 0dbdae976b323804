"""Taking an installation elsewhere: exports, backups, and what is given up where the keys are lost.

An export is one file with every row, for another machine or another database; a backup is the database as it
is, for the same key file.  Both are written while everything runs, and neither is there before it is whole.
"""
