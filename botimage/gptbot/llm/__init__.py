"""The model that answers: a streaming client of OpenAI-compatible APIs, its errors, and the token budget.

Imports aiohttp and orjson, and never the openai package: that takes 1.5 s of CPU, during which no answer would move.
"""
