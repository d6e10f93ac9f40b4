"""The command as ``python -m astro_hier``."""

import sys

from astro_hier.cli import main

sys.exit(main())
