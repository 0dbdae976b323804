"""Readers of the collector's sections: lines of command outputs in, plain values out."""
