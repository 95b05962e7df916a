"""`kubectl gptbot`: what is going on with the GptBots of a cluster, and what to do about it.

It drives the user's own kubectl and knows neither bot nor operator, so that it is quick to start and to install.
"""
