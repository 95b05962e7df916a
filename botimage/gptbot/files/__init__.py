"""What is done to files that people send, before anybody reads them: pure functions from bytes to bytes or text.

Images lose all that is not the picture (`images.py` and a file a format), texts are decoded (`texts.py`).
"""
