"""Which columns each model shows, and how a value is worded."""
