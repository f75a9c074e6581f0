"""How fast, measured: hardware, durability and payload printed beside every figure."""
