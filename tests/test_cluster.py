"""The files for a cluster say what Kubernetes, Ray and pip expect of them."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "cluster"


def test_the_manifest_is_a_ray_job_that_searches() -> None:
    job = yaml.safe_load((FOLDER / "rayjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    assert job["metadata"]["name"] == "naokit"
    assert job["spec"]["entrypoint"].startswith("naokit search --workers ray --ray-address auto ")
    cluster = job["spec"]["rayClusterSpec"]
    assert f"\nray=={cluster['rayVersion']}\n" in (ROOT / "constraints.txt").read_text()
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    pods = [group["template"]["spec"] for group in groups]
    containers = [container for pod in pods for container in pod["containers"]]
    assert [container["name"] for container in containers] == ["ray-head", "ray-worker"]
    assert len({container["image"] for container in containers}) == 1  # the same naokit everywhere
    for pod in pods:
        claimed = {volume["name"] for volume in pod["volumes"]}
        mounted = {mount["name"] for c in pod["containers"] for mount in c["volumeMounts"]}
        assert mounted == claimed
    assert all(
        isinstance(value, str) for value in cluster["headGroupSpec"]["rayStartParams"].values()
    )


def test_the_container_is_made_of_what_is_here_in_the_versions_of_the_checks() -> None:
    lines = (FOLDER / "Containerfile").read_text().replace("\\\n", "").splitlines()
    steps = [line.split() for line in lines if line and not line.startswith("#")]
    known = {"FROM", "RUN", "WORKDIR", "ARG", "COPY", "USER"}
    assert {step[0] for step in steps} == known
    copied = [name for step in steps if step[0] == "COPY" for name in step[1:-1]]
    assert all((ROOT / name).exists() for name in copied)
    installs = [" ".join(step) for step in steps if "pip" in step]
    assert all(" install --no-cache-dir -c constraints.txt " in line for line in installs)
    extras = re.findall(r"\.\[([a-z,]+)\]", installs[-1])[0].split(",")
    project = (ROOT / "pyproject.toml").read_text()
    assert all(f"\n{extra} = [" in project for extra in extras)
