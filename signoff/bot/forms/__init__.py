"""What opens over Slack: forms, reviews, details, and what was typed into them; pure."""
