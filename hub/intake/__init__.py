"""FRONT ROOM: FastAPI for front ends."""
