"""Every text that a reviewer reads, by where it stands: to be read in one go, and translated."""
