from gptbot.cli import main

main()
