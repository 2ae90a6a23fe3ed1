"""Commands in this process, and a table to search."""

from pathlib import Path

from typer.testing import CliRunner, Result

from naokit.cli.app import app

NAONET_A = "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7"
TINY = "0 0 1 0 0 0 1 0"
CELL = "|none~0|+|none~0|none~1|+|{}~0|none~1|none~2|"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def table(path: Path) -> Path:
    operations = ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "skip_connect")
    rows = [f"{CELL.format(name)},{90 + n}" for n, name in enumerate(operations)]
    path.write_text("\n".join(["arch,acc", *rows]) + "\n")
    return path
