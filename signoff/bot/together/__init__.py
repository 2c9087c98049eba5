"""Modals about several requests at once: pages of a Review, one by one, and what became of them; pure."""
