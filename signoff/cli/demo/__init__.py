"""`signoff demo`: all of Signoff on this machine, with sample agents; a person decides, or a script does."""
