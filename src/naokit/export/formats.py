"""The formats by name: each writes its file, reads it back and compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from naokit.export import int8, onnx, pt2, standalone
from naokit.export.bundle import AnyBundle, load
from naokit.export.checking import TOLERANCE, Check, Job
from naokit.export.config import CONFIG, WEIGHTS, list_file
from naokit.export.image_job import ImageJob
from naokit.export.language_bundle import LanguageBundle
from naokit.export.language_job import LanguageJob
from naokit.measuring import logits_on, measure, part_of
from naokit.training.data import ImageData, Split
from naokit.training.feeding import EVALUATION_BATCH
from naokit.training.stream import Stream


def _safetensors(job: Job) -> Check:
    run = job.run_of(load(job.folder, job.bundle.architecture.space))
    beside = ", ".join([CONFIG, *job.bundle.attachments()])
    return job.check(job.folder / WEIGHTS, run, 0.0, f"with {beside} and README.md")


def _onnx(job: Job) -> Check:
    return job.onnx_check


def _pt2(job: Job) -> Check:
    path = job.folder / "model.pt2"
    pt2.write(job.program, path)
    with job.listed(path, torch=torch.__version__):
        return job.check(path, pt2.read(path), TOLERANCE, f"torch.export, {job.program_note}")


def _python(job: Job) -> Check:
    path = job.folder / "network.py"
    standalone.write(job.bundle, path)
    with job.listed(path):
        return job.check(path, job.run_of(standalone.read(path)), 0.0, "needs torch alone")


def _int8(job: Job) -> Check:
    """Judged by its accuracy: eight bits change every logit."""
    assert isinstance(job, ImageJob)
    part, split = part_of(job.data)
    path = job.folder / "model-int8.onnx"
    int8.write(job.onnx_check.file, job.calibration(), path)
    run = onnx.read(path)
    accuracy = _accuracy(job, job.bundle.network, split), _accuracy(job, run, split)
    list_file(job.folder, path.name, opset=onnx.OPSET, accuracy=list(accuracy), part=part)
    size, floats = (file.stat().st_size / 1000 for file in (path, job.onnx_check.file))
    note = f"{len(split)} {part} images, {size:,.0f} kB (model.onnx {floats:,.0f} kB)"
    if size >= floats:  # the scales of a small network take more than its weights save
        note += "; no smaller: eight bits save nothing on so small a network"
    return Check(path, job.difference(run), None, note, accuracy)


def _accuracy(job: ImageJob, run: Callable[[Tensor], Tensor], split: Split | Stream) -> float:
    """Percent of a part's images."""
    found = logits_on(lambda images: run(job.standardise(images)), split, EVALUATION_BATCH)
    return measure(*found, job.bundle.class_names).accuracy


FORMATS: Mapping[str, Callable[[Job], Check]] = {
    "safetensors": _safetensors,
    "onnx": _onnx,
    "pt2": _pt2,
    "python": _python,
    "int8": _int8,
}


def job_of(bundle: AnyBundle, folder: Path, data: ImageData | str | Path | None = None) -> Job:
    """The export of a network of any kind; `data`: images for int8."""
    if isinstance(bundle, LanguageBundle):
        return LanguageJob(bundle, folder)
    return ImageJob(bundle, folder, data)


def possible_formats(bundle: AnyBundle) -> tuple[str, ...]:
    """The formats that there are for networks of this kind."""
    images_alone = ("int8",) if isinstance(bundle, LanguageBundle) else ()
    return tuple(name for name in FORMATS if name not in images_alone)


def formats_for(bundle: AnyBundle) -> tuple[str, ...]:
    """The formats that a network is written in unless others are named.

    All that need no images; no stand-alone file where that is not possible.
    """
    python = () if standalone.obstacle(bundle) else ("python",)
    return ("safetensors", "onnx", "pt2", *python)
