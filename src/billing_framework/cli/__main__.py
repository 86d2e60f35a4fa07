"""``python -m billing_framework.cli``: the same as the ``billing`` script."""

from billing_framework.cli.main import main

main()
