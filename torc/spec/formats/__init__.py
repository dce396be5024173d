"""YAML, JSON, JSON5 and KDL: text to plain values, and back to the place in the text where a value stands."""
