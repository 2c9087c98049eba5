"""An approval, a list or a run as a message or as Home; pure."""
