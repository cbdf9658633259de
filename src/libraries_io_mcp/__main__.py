"""`python -m libraries_io_mcp` is the command `libraries-io-mcp`."""

import sys

from libraries_io_mcp.cli import main

sys.exit(main())
