"""`python -m naokit`."""

from naokit.cli import main

main()
