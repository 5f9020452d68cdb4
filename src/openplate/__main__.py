"""``python -m openplate`` is the same as ``openplate``."""

from openplate.cli import main

if __name__ == "__main__":
    main()
