"""The commands of `signoff`, one module a group. Each has `add`, which describes its commands to argparse."""
