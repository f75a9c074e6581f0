"""MIDDLE ROOM: from due to done."""
