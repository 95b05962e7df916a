"""A stand-in for an OpenID provider."""
