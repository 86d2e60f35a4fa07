"""Acts on personal data: who reads it and why, the rotation of keys, and erasure."""
