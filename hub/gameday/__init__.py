"""The hub rehearsed under faults: what was lost, made twice, or left without a word."""
