"""Files that people send: images without metadata, texts in many encodings, and what is read of them.

The pictures are made here, byte by byte, so that each test knows where everything stands.
"""
