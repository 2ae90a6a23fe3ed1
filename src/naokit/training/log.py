"""The log of a training: a table of epochs and, on request, event files for TensorBoard."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import InputError
from naokit.files import read_text, write_whole
from naokit.wording import exact

if TYPE_CHECKING:  # who only reads a log needs no torch
    from naokit.training.loop import Epoch

CSV = "log.csv"


class Log:
    """The `log.csv` of a folder, one row for each epoch; a continued training appends to it.

    Args:
        folder: The folder of the training.
        tensorboard: Whether event files are written to `folder/tensorboard` too.

    Raises:
        InputError: TensorBoard is wished for and not installed, or the log there is damaged.
    """

    def __init__(self, folder: Path, *, tensorboard: bool = False) -> None:
        self.folder, self.tensorboard = folder, tensorboard
        if tensorboard:
            try:
                import tensorboard as _installed  # noqa: F401
            except ImportError as error:
                raise InputError(
                    "`tensorboard=True` needs TensorBoard: pip install 'naokit[tensorboard]'"
                ) from error
        self.rows()  # a damaged one is noticed before an epoch is trained

    def write(self, epoch: Epoch) -> None:
        """Adds an epoch, and removes later ones of a run that was killed before its checkpoint."""
        rows = [row for row in self.rows() if int(row["epoch"]) < epoch.number]
        fields = {
            "epoch": epoch.number,
            "loss": epoch.loss,
            f"validation_{epoch.metric}": epoch.validation,
            "learning_rate": epoch.learning_rate,
            "seconds": epoch.seconds,
        }
        if any(list(row) != list(fields) for row in rows):
            raise self._damaged(f"its columns are not {', '.join(fields)}")
        text = io.StringIO()
        writer = csv.DictWriter(text, list(fields), lineterminator="\n")
        writer.writeheader()
        values = {n: v if isinstance(v, int) else exact(v) for n, v in fields.items()}
        writer.writerows([*rows, values])
        write_whole(self.folder / CSV, text.getvalue())
        if self.tensorboard:
            self._events(epoch.number, fields)

    def rows(self) -> list[dict[str, str]]:
        """The table so far; raises InputError where the file is not one."""
        path = self.folder / CSV
        if not path.exists():
            return []
        try:
            rows = list(csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True))
            for row in rows:
                int(row["epoch"])
                tuple(map(float, row.values()))  # neither fewer fields than the header nor more
        except InputError:
            raise
        except (csv.Error, KeyError, TypeError, ValueError) as error:
            raise self._damaged(str(error)) from error
        return rows

    def _damaged(self, fault: str) -> InputError:
        return InputError(
            f"{self.folder / CSV} is damaged ({fault}): move it away to go on, no training needs it"
        )

    def _events(self, epoch: int, fields: Mapping[str, float]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(str(self.folder / "tensorboard"), purge_step=epoch)
        for name in [*fields][1:-1]:
            writer.add_scalar(name, fields[name], epoch)
        writer.close()
