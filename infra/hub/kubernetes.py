"""A workspace on a cluster: KubeSpawner replaces the sandbox, behind the same settings.

What namespaces do on one machine, the cluster does here: a pod without a service account and without a network
(``infra/cluster/network-policy.yaml``), practice tables and rows mounted read-only, a uid that is not root, no
capability, and the runtime's own seccomp profile. The volume of practice tables has an empty folder ``rows``.
https://jupyterhub-kubespawner.readthedocs.io
"""

from __future__ import annotations

from typing import Any

from infra.hub.settings import HubSettings

UID, GID = 61001, 61000


def configure(c: Any, settings: HubSettings) -> None:
    """Write ``settings`` into a configuration of KubeSpawner."""
    c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
    pod = c.KubeSpawner
    pod.image, pod.image_pull_policy = settings.image, "IfNotPresent"
    pod.cmd = ["python", "-I", "-m", "lab.workspace"]
    pod.fs_gid = GID
    pod.automount_service_account_token = False
    pod.mem_limit, pod.mem_guarantee = settings.memory_mib << 20, 512 << 20
    pod.cpu_limit, pod.cpu_guarantee = 1.0, 0.1
    pod.enable_user_namespaces = False
    pod.extra_labels = {"haihe/zone": "research"}
    pod.container_security_context = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": UID,
        "runAsGroup": GID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    pod.volumes = [
        {"name": "practice", "persistentVolumeClaim": {"claimName": "practice", "readOnly": True}},
        {"name": "rows", "persistentVolumeClaim": {"claimName": "rows-{username}", "readOnly": True}},
        {"name": "home", "persistentVolumeClaim": {"claimName": "home-{username}"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": f"{settings.tmp_mib}Mi"}},
    ]
    pod.volume_mounts = [
        {"name": "practice", "mountPath": "/data", "readOnly": True},
        {"name": "rows", "mountPath": "/data/rows", "readOnly": True},
        {"name": "home", "mountPath": "/home/lab"},
        {"name": "tmp", "mountPath": "/tmp"},
    ]
    pod.pod_name_template = "workspace-{username}"
    c.KubeSpawner.start_timeout = 300
