"""Labelled sentences in English and Russian, with and without personal data, that the redaction is measured on.

The files hold sentences with `{kind_form}` where a value belongs; `values.py` makes the values, `sentences.py`
joins both, `measure.py` measures.
"""
