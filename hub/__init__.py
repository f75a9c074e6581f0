"""Council Hub: carries a resident's request to the council system that must act on it, and the answer back."""

__version__ = "0.1.0"
