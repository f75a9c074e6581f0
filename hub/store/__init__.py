"""MEMORY: SQLAlchemy Core, one transaction per thought."""
