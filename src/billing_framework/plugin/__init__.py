"""Plugins: the hooks they may implement, the settings they read, and the host that asks them once and checks what they return."""
