"""What a GptBot may ask for where whoever writes it is trusted less than whoever runs the operator.

`rules.py` says what of a bot is not allowed; the chart's ValidatingAdmissionPolicy says most of it earlier.
"""
