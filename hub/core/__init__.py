"""Decisions: pure; no clock, no dice, no IO."""
