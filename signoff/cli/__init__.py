"""The command line: `main` reads it and turns every error into one line; a module a group of commands.

Each has `add`, which describes its commands to argparse (`parsers`), and imports what it runs only then.
`output` lays out what is shown. `demo` and `doctor` are what those commands do.
"""
