"""What each epoch brought, as a table beside the checkpoints and, if wished, for TensorBoard."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from naokit.base import InputError
from naokit.files import write_whole
from naokit.training.loop import Epoch

CSV = "log.csv"


class Log:
    """`log.csv` in a folder, a row an epoch; a continued training goes on in it.

    Args:
        folder: of the training.
        tensorboard: whether event files are written to `folder/tensorboard` too.

    Raises:
        InputError: TensorBoard is wished for and not installed.
    """

    def __init__(self, folder: Path, *, tensorboard: bool = False) -> None:
        self.folder, self.tensorboard = folder, tensorboard
        if tensorboard:
            try:
                import tensorboard as _installed  # noqa: F401
            except ImportError as error:
                raise InputError(
                    "--tensorboard needs TensorBoard: pip install 'naokit[tensorboard]'"
                ) from error

    def write(self, epoch: Epoch) -> None:
        """Adds an epoch; later ones, of a run that was killed before its checkpoint, go."""
        rows = [row for row in self.rows() if int(row["epoch"]) < epoch.number]
        fields = {
            "epoch": epoch.number,
            "loss": epoch.loss,
            f"validation_{epoch.metric}": epoch.validation,
            "learning_rate": epoch.learning_rate,
            "seconds": epoch.seconds,
        }
        text = io.StringIO()
        writer = csv.DictWriter(text, list(fields), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, {name: f"{value:.8g}" for name, value in fields.items()}])
        write_whole(self.folder / CSV, text.getvalue())
        if self.tensorboard:
            self._events(epoch.number, fields)

    def rows(self) -> list[dict[str, str]]:
        """The table so far."""
        path = self.folder / CSV
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def _events(self, epoch: int, fields: Mapping[str, float]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(str(self.folder / "tensorboard"), purge_step=epoch)
        for name in [*fields][1:-1]:
            writer.add_scalar(name, fields[name], epoch)
        writer.close()
