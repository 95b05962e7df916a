"""Who is let in to the page. `door.py` stands before every route and asks: by which name, how often, and who it is.

How people log in is a gate (`gates.py`): by a password, by OpenID Connect, or by a signed token of another site. Each
ends in a session that the server signs (`session.py` one folder up); nothing else of a person is kept.
"""
