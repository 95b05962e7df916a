"""From a platform's message to a worker that has it: intake, mailbox, leases. All Lua and all Redis keys live here."""
