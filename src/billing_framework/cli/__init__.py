"""The command line: one file per noun, each command a thin cover of a function of `run`."""
