"""Dated data files: each names its source and the day it was taken."""
