"""What travels on the wire: msgspec Structs without I/O, one module per noun."""
