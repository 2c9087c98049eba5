"""Slack's Web API: posts, views, people; and its errors, translated once."""
