"""What tells the autoscaler how much work waits.

The CPU needs nothing from here: `desired/hpa.py` makes that autoscaler.
"""
