"""Untrusted text made safe, and all that a reviewer reads; pure."""
