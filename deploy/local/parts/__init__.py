"""The parts of the local stack; `stack.py` puts them together. Python's standard library only."""
