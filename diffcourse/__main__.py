"`python -m diffcourse` is the command `diffcourse`."
import sys

from diffcourse.commands.cli import main

if __name__ == '__main__':
    sys.exit(main())
