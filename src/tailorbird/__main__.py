"""`python -m tailorbird` is the command `tailorbird`."""

from tailorbird.cli import main

main()
