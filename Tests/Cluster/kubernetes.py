"""The manifest of examples/cluster against Kubernetes' own JSON schemas (PyPI: kubernetes-validate), and what it promises Attune.

    python Tests/Cluster/kubernetes.py"""

import copy
import pathlib

import kubernetes_validate
import yaml

FILE = pathlib.Path(__file__).parents[2] / "examples/cluster/generate-job.yaml"
VERSION = "1.31"


def check(job):
    kubernetes_validate.validate(job, VERSION, strict=True)
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    [container] = pod["containers"]
    environment = {entry["name"]: entry.get("value") for entry in container["env"]}
    # Kubernetes sets JOB_COMPLETION_INDEX of indexed Jobs alone, and never the number of completions.
    assert spec["completionMode"] == "Indexed"
    assert environment["JOB_COMPLETIONS"] == str(spec["completions"])
    assert "--part=auto" in container["args"]
    # A pod's own name is another one each time, and would get a catalogue of its own.
    [host] = [entry for entry in container["env"] if entry["name"] == "ATTUNE_HOST"]
    assert host["valueFrom"]["fieldRef"]["fieldPath"] == "spec.nodeName"
    # More than the 25 seconds in which a stopped command reaches a safe point or ends.
    assert pod["terminationGracePeriodSeconds"] >= 30
    # podFailurePolicy is allowed with restartPolicy Never alone.
    assert pod["restartPolicy"] == "Never"
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    for argument in container["args"][1:4]:
        path = argument.split("=")[1]
        assert any(path == mount or path.startswith(mount + "/") for mount in mounts), path
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] and "/tmp" in mounts


def refuses(change):
    job = copy.deepcopy(yaml.safe_load(FILE.read_text()))
    change(job)
    try:
        check(job)
    except (AssertionError, KeyError, ValueError, kubernetes_validate.ValidationError):
        return
    raise SystemExit("the check lets a wrong manifest pass")


if __name__ == "__main__":
    check(yaml.safe_load(FILE.read_text()))
    refuses(lambda job: job["spec"].update(completions="100"))
    refuses(lambda job: job["spec"].update(completion=100))
    refuses(lambda job: job["spec"].update(completions=99))
    refuses(lambda job: job["spec"]["podFailurePolicy"]["rules"][0].pop("action"))
    refuses(lambda job: job["spec"]["template"]["spec"]["volumes"].pop())
    refuses(lambda job: job["spec"]["template"]["spec"]["containers"][0]["env"].pop())
    print(f"{FILE.name} is a Job of Kubernetes {VERSION}")
