"""One package per product that a council may run; none per council."""
