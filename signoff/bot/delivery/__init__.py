"""What is done to Slack because a row changed."""
