"""LEDES 1998B: e-bills for legal departments, written and checked."""
