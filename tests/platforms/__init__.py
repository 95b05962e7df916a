"""Each platform over the wire: its gateway and its sender, against a fake as strict as the real thing.
The web page needs none: its other side is HTTP and the store.
"""
