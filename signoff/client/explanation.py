"""What a model is told when its action was not run: see `signoff.models.explanation`."""

from __future__ import annotations

from signoff.models.explanation import explain as explain
