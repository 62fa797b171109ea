"""What people said about answers, kept in one table: pairs, thumbs and edits. docs/feedback.md describes it."""

from __future__ import annotations

from tailorbird.feedback.judgement import Feedback
from tailorbird.feedback.store import FeedbackStore

__all__ = ["Feedback", "FeedbackStore"]
