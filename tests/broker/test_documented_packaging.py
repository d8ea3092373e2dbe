"""The files for systemd, Kubernetes and Prometheus name existing settings, commands and metrics."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from .documents import PACKAGING, ROOT, SOURCES, blocks, page
from .running import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

PARTS: list[dict[str, Any]] = list(
    yaml.safe_load_all((PACKAGING / "kubernetes.yaml").read_text(encoding="utf-8"))
)
RULES = [
    rule
    for group in yaml.safe_load((PACKAGING / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
METRICS = (SOURCES / "metrics.rs").read_text(encoding="utf-8")
NAMES = set(re.findall(r'"(tokentoss_\w+)"', METRICS))
HISTOGRAMS = {name for name in NAMES if name.endswith("_seconds")}
OF_PROMETHEUS = {"up"}


def part(kind: str) -> dict[str, Any]:
    (found,) = (part for part in PARTS if part["kind"] == kind)
    return found


def container() -> dict[str, Any]:
    (found,) = part("Deployment")["spec"]["template"]["spec"]["containers"]
    return found


def test_every_part_belongs_to_one_namespace_and_one_application() -> None:
    names = {part["metadata"].get("namespace", part["metadata"]["name"]) for part in PARTS}
    assert names == {"tokentoss"}
    deployment = part("Deployment")["spec"]
    selector = deployment["selector"]["matchLabels"]
    assert selector
    assert selector.items() <= deployment["template"]["metadata"]["labels"].items()
    assert part("Service")["spec"]["selector"] == selector
    for kind, member in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        assert part(kind)["spec"][member]["matchLabels"] == selector
    assert deployment["replicas"] > part("PodDisruptionBudget")["spec"]["minAvailable"]


def test_the_image_is_the_one_that_is_built() -> None:
    (version,) = re.findall(
        r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    image = f"registry.example.org/tokentoss-broker:{version}"
    assert container()["image"] == image
    command = f"docker build -f packaging/broker/Containerfile -t {image} ."
    for text in (
        (PACKAGING / "Containerfile").read_text(encoding="utf-8"),
        page("administrators.md"),
        page("kubernetes.md"),
    ):
        assert command in text


def test_ports_are_those_that_the_broker_listens_on() -> None:
    settings = part("ConfigMap")["data"]["broker.toml"]
    listens = {"callers": "listen", "admin": "admin_listen"}
    ports = {port["name"]: port["containerPort"] for port in container()["ports"]}
    assert set(ports) == set(listens)
    assert all(f'{listens[name]} = "0.0.0.0:{port}"' in settings.splitlines() for name, port in ports.items())
    routes = (SOURCES / "routes" / "mod.rs").read_text(encoding="utf-8").split("pub fn admin")[1]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        request = container()[probe]["httpGet"]
        assert request["port"] == "admin"
        assert f'.route("{request["path"]}"' in routes
    (service,) = part("Service")["spec"]["ports"]
    assert service["targetPort"] == "callers"
    (rule,) = part("Ingress")["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    backend = {"name": part("Service")["metadata"]["name"], "port": {"name": service["name"]}}
    assert path["backend"]["service"] == backend
    allowed = [port["port"] for rule in part("NetworkPolicy")["spec"]["ingress"] for port in rule["ports"]]
    assert allowed == [ports["callers"], ports["admin"]]


def test_the_pod_has_no_rights_and_writes_to_its_journal_alone() -> None:
    pod = part("Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    written = [mount for mount in container()["volumeMounts"] if not mount.get("readOnly")]
    assert [mount["mountPath"] for mount in written] == ["/var/lib/tokentoss"]
    assert 'journal = "/var/lib/tokentoss/journal"' in part("ConfigMap")["data"]["broker.toml"]
    # Both are longer than the broker takes to end.
    server = (SOURCES / "server.rs").read_text(encoding="utf-8")
    limits = re.findall(r"^const \w+: Duration = Duration::from_secs\((\d+)\)", server, re.MULTILINE)
    assert limits
    longest = sum(map(int, limits))
    pause = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > longest + pause
    unit = (PACKAGING / "tokentoss-broker.service").read_text(encoding="utf-8")
    (patience,) = re.findall(r"^TimeoutStopSec=(\d+)", unit, re.MULTILINE)
    assert int(patience) > longest


def test_every_secret_of_the_manifest_is_made_by_the_page() -> None:
    settings = part("ConfigMap")["data"]["broker.toml"]
    commands = " ".join(page("kubernetes.md").split())
    files = re.findall(r"--from-file=(\S+)", commands)
    assert set(re.findall(r'credential = "([^"]*)"', settings)) == {name for name in files if "=" not in name}
    environment = {variable["name"]: variable for variable in container()["env"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container()["volumeMounts"]}
    assert environment["CREDENTIALS_DIRECTORY"]["value"] == mounts["secrets"]
    assert mounts["configuration"] == "/etc/tokentoss"
    built = (PACKAGING / "Containerfile").read_text(encoding="utf-8")
    assert "TOKENTOSS_BROKER_CONFIG=/etc/tokentoss/broker.toml" in built
    password = environment["PGPASSWORD"]["valueFrom"]["secretKeyRef"]
    assert f"secret generic {password['name']} --from-file={password['key']}=" in commands
    volumes = part("Deployment")["spec"]["template"]["spec"]["volumes"]
    (secret,) = (volume["secret"] for volume in volumes if "secret" in volume)
    assert f"secret generic {secret['secretName']} " in commands


def test_the_hubs_network_policy_lets_the_pods_in() -> None:
    deployment = part("Deployment")["spec"]
    label = "hub.jupyter.org/network-access-hub"
    assert deployment["template"]["metadata"]["labels"][label] == "true"
    # Kubernetes lets nobody change the selector of a Deployment that is there.
    assert label not in deployment["selector"]["matchLabels"]
    (values,) = (yaml.safe_load(one.text) for one in blocks("yaml") if one.name.startswith("jupyterhub.md"))
    assert values["hub"]["networkPolicy"]["interNamespaceAccessLabels"] == "accept"


def test_values_of_the_hub() -> None:
    (values,) = (yaml.safe_load(one.text) for one in blocks("yaml") if one.name.startswith("jupyterhub.md"))
    scope = "access:services!service=tokentoss"
    assert scope in values["hub"]["loadRoles"]["user"]["scopes"]
    assert scope in values["hub"]["config"]["Spawner"]["server_token_scopes"]


def test_a_pods_token_is_for_the_audience_of_the_reference() -> None:
    (pod,) = (yaml.safe_load(one.text) for one in blocks("yaml") if one.name.startswith("running.md"))
    (source,) = pod["volumes"][0]["projected"]["sources"]
    settings = next(one.text for one in blocks("toml") if one.name == "running.md-1")
    audience = source["serviceAccountToken"]["audience"]
    assert re.findall(r'^audience = "(.*?)"', settings, re.MULTILINE) == [audience]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_names_what_is_counted(rule: dict[str, Any]) -> None:
    expression = rule["expr"]
    assert expression.count("(") == expression.count(")")
    bare = re.sub(r'"[^"]*"', '""', expression)
    for name, labels in re.findall(r"\b(up|tokentoss_\w+)(?:\{([^}]*)\})?", bare):
        base = re.sub(r"_bucket$", "", name)
        assert base in (HISTOGRAMS if base != name else NAMES - HISTOGRAMS | OF_PROMETHEUS)
        known = {"job"} if name in OF_PROMETHEUS else set(re.findall(r'"(\w+)" =>', METRICS))
        assert set(re.findall(r"(\w+)=", labels)) <= known
    sources = (SOURCES / "refresh" / "revoke.rs").read_text(encoding="utf-8") + METRICS
    custody = ROOT / "crates" / "tokentoss-custody" / "src"
    places = {"route": SOURCES / "routes" / "mod.rs", "cause": custody / "status.rs"}
    for label, values in re.findall(r'(cause|outcome|purpose|route)=~?"([^"]*)"', expression):
        written = places.get(label, custody / "outcome.rs").read_text(encoding="utf-8")
        assert all(f'"{value}"' in sources + written for value in values.split("|")), values
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"].endswith(".")
    assert f"| `{rule['alert']}` |" in page("operations.md")


def test_every_alert_of_the_page_and_every_number_is_there() -> None:
    assert set(re.findall(r"^\| `(Tokentoss\w+)`", page("operations.md"), re.MULTILINE)) == {
        rule["alert"] for rule in RULES
    }
    assert set(re.findall(r"^\| `(tokentoss_\w+)` \|", page("operations.md"), re.MULTILINE)) == NAMES


def test_audit_actions_are_those_of_the_code() -> None:
    table = page("operations.md").split("Audit lines")[1].split("## ")[0]
    sources = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.rs"))
    written = set(re.findall(r'target: "audit",\s*action = "(\w+)"', sources))
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == written


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.skipif(not PROGRAM.exists(), reason="cargo build -p tokentoss-broker makes it")
def test_the_unit_and_its_drop_in(tmp_path: Path) -> None:
    (drop_in,) = (example.text for example in blocks("ini"))
    folder = tmp_path / "tokentoss-broker.service.d"
    folder.mkdir()
    (folder / "credentials.conf").write_text(drop_in)
    unit = tmp_path / "tokentoss-broker.service"
    text = (PACKAGING / unit.name).read_text(encoding="utf-8")
    assert "/usr/bin/tokentoss-broker" in text
    unit.write_text(text.replace("/usr/bin/tokentoss-broker", str(PROGRAM)))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    # It also speaks of other units of this machine.
    ours = [line for line in verified.stderr.splitlines() if unit.name in line or "credentials.conf" in line]
    assert (verified.returncode, ours) == (0, [])
    loaded = set(re.findall(r"^LoadCredential=([^:]*):", f"{text}\n{drop_in}", re.MULTILINE))
    toml = next(example.text for example in blocks("toml") if example.name == "one_machine.md-1")
    assert set(re.findall(r'credential = "([^"]*)"', toml)) == loaded
