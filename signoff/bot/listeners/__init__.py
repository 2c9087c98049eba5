"""What people click, type and open: parse, one call into `approvals`, reply."""
