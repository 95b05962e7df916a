"""What strangers may send to stop a bot: people, models, platforms, files, and whoever reaches the store."""
