"""Finds personal data and secrets in text, and replaces them. Shared by the audit, the server and the tests."""

from __future__ import annotations

from tailorbird.privacy.checksums import passes_luhn
from tailorbird.privacy.detection import find
from tailorbird.privacy.findings import KINDS, SECRETS, Finding
from tailorbird.privacy.redaction import Redactor

__all__ = ["KINDS", "SECRETS", "Finding", "Redactor", "find", "passes_luhn"]
