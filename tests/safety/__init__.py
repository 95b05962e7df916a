"""Redaction, access lists and limits."""
