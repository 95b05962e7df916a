from kubectl_gptbot.cli import main

main()
