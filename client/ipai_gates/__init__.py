"""``ipai-gates``: what CI does reaches the release gates, also after an outage."""

__version__ = "1.0.0"
