"""The recipes' frameworks are heavy: their tests run where they are named, as `make matrix` does."""

from __future__ import annotations

collect_ignore = ["recipes"]
