"""What must hold of deploy/{container,compose,kubernetes,redis} beyond their schemas.

Prints each problem and ends with 1. Then breaks every rule once, in memory, and ends with 1 when nobody notices.
With `compose FOLDER` or `kubernetes` it prints the environment that a server gets there instead, for `hearth config check`:
secrets are read from the folder that secrets.sh made, or made up; `kubernetes as-is` leaves them as they stand.
"""

import json
import re
import secrets
import sys
from pathlib import Path

import yaml

PRODUCTION = "deploy/compose/production.yaml"
SIMPLE = "deploy/compose/simple.yaml"
KUBERNETES = "deploy/kubernetes/"
CONTAINERFILE = "deploy/container/Containerfile"
DOCKER_IMAGE = re.compile(r"^[\w./-]+:\d[\w.-]*$")


def read_texts():
    paths = [p for p in Path("deploy").rglob("*") if p.is_file() and not p.parent.name == "secrets"]
    return {str(p): p.read_text() for p in [*paths, Path(".env.example"), Path("Cargo.toml")]}


def problems(texts):
    known = set(re.findall(r"^#([A-Z0-9_]+)=", texts[".env.example"], re.M))
    found = []

    def want(holds, problem):
        if not holds:
            found.append(problem)

    container(texts[CONTAINERFILE], texts["Cargo.toml"], want)
    for path in (SIMPLE, PRODUCTION):
        compose(path, texts[path], known, want)
    production(yaml.safe_load(texts[PRODUCTION]), want)
    manifests = {p.removeprefix(KUBERNETES): yaml.safe_load(t) for p, t in texts.items() if p.startswith(KUBERNETES)}
    kubernetes(manifests, known, want)
    upstreams = [texts["deploy/nginx/upstream.conf"], texts["deploy/compose/upstream.conf"]]
    nginx(texts["deploy/nginx/hearth.conf"], upstreams, want)
    for path in ("deploy/redis/redis.conf", "deploy/redis/users.acl"):
        want("$" not in texts[path], f"{path}: holds a variable that nothing expands")
    # Protected mode turns strangers away only while the default user has no free entry, and friends when it has one.
    want("nopass" not in texts["deploy/redis/users.acl"], "users.acl: somebody needs no password")
    want("maxmemory-policy volatile-" in texts["deploy/redis/redis.conf"], "redis.conf: may remove keys that must stay")
    return found


def nginx(site, upstreams, want):
    for line in ("ssl_protocols TLSv1.2 TLSv1.3;", "return 301 https://$host$request_uri;", "proxy_buffering off;"):
        want(line in site, f"hearth.conf: no {line!r}")
    patience = re.search(r"proxy_read_timeout (\d+)s;", site)
    want(patience and int(patience.group(1)) > 15, "hearth.conf: a silent stream is cut off before its ping")
    for line in ("least_conn;", "keepalive 32;", "max_fails=3"):
        want(all(line in text for text in upstreams), f"upstream.conf: no {line!r}")


def is_setting(name, known):
    return name in known or name.removesuffix("_FILE") in known


def container(text, cargo, want):
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    want(bases[-1] == "scratch", "Containerfile: the image is made from a base, which brings a shell")
    want(all(DOCKER_IMAGE.match(base) for base in bases[:-1]), f"Containerfile: a base has no version: {bases}")
    rust = re.search(r'^rust-version = "([\d.]+)"', cargo, re.M).group(1)
    want(any(base.startswith(f"rust:{rust}") for base in bases), f"Containerfile: Rust is not {rust}")
    last = "\n".join(lines).rsplit("\nFROM ", 1)[1].splitlines()[1:]
    words = {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in last}
    want(re.fullmatch(r"[1-9]\d*:[1-9]\d*", words.get("USER", "")), "Containerfile: USER is no number above 0")
    want("RUN" not in words, "Containerfile: RUN where there is no shell")
    # A command in brackets is the first process itself, so that SIGTERM reaches it.
    want(json_list(words.get("ENTRYPOINT", "")) == ["/usr/bin/hearth"], "Containerfile: ENTRYPOINT is not the server itself")
    check = words.get("HEALTHCHECK", "").partition("CMD ")[2]
    want(json_list(check) == ["/usr/bin/hearth", "health"], "Containerfile: HEALTHCHECK does not ask the binary")


def json_list(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def compose(path, text, known, want):
    for name in re.findall(r"(?<!\$)\$\{(\w+)", text):
        want(name in known, f"{path}: {name} is not in .env.example")
    services = yaml.safe_load(text)["services"]
    for name, service in services.items():
        where = f"{path}: {name}"
        want("healthcheck" in service, f"{where} has no health check")
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        want({"cpus", "memory"} <= set(limits), f"{where} has no limits")
        image = re.sub(r"^\$\{\w+:-(.+)\}$", r"\1", service["image"])
        want(image == "hearth:local" or DOCKER_IMAGE.match(image), f"{where} has an image without a version")
        want("no-new-privileges:true" in service.get("security_opt", []), f"{where} may gain privileges")
    hearth = services["hearth"]
    want(hearth.get("read_only") is True, f"{path}: hearth may write to its own image")
    want(hearth.get("cap_drop") == ["ALL"], f"{path}: hearth keeps capabilities")
    for name in hearth.get("environment", {}):
        want(is_setting(name, known), f"{path}: {name} is no setting")


def production(file, want):
    services, secrets = file["services"], set(file["secrets"])
    open_ones = {name for name, service in services.items() if "ports" in service}
    want(open_ones == {"nginx"}, f"production.yaml: {sorted(open_ones)} can be reached from outside, nginx alone should")
    want(services["hearth"]["deploy"].get("replicas") == 3, "production.yaml: there are not three servers")
    used = {name for service in services.values() for name in service.get("secrets", [])}
    want(used == secrets, f"production.yaml: secrets named and used differ: {sorted(used ^ secrets)}")
    for name, value in services["hearth"]["environment"].items():
        if name.endswith("_FILE"):
            want(value.removeprefix("/run/secrets/") in services["hearth"]["secrets"], f"production.yaml: {name} names no secret")
    bare = [n for n in services["hearth"]["environment"] if re.search("SECRET$|TOKEN$|KEY$|_URL$|PASSWORD$", n)]
    want(not bare, f"production.yaml: {bare} should be read from files")
    postgres = services["postgres"]
    want("POSTGRES_USER" not in postgres["environment"], "production.yaml: the servers' role is a superuser")
    made = [volume for volume in postgres["volumes"] if volume.startswith("./role.sh:/docker-entrypoint-initdb.d/")]
    want(made, "production.yaml: nobody makes the servers' role")
    subnet = file["networks"]["outside"]["ipam"]["config"][0]["subnet"]
    want(services["hearth"]["environment"]["TRUSTED_PROXIES"] == subnet, "production.yaml: nginx is not trusted")
    want(file["networks"]["inside"].get("internal") is True, "production.yaml: the database's network leads outside")


def seconds(text):
    return int(text.removesuffix("s"))


def kubernetes(manifests, known, want):
    deployment, settings = manifests["deployment.yaml"]["spec"], manifests["configmap.yaml"]["data"]
    pod = deployment["template"]["spec"]
    server = pod["containers"][0]
    want(deployment["replicas"] == 3, "deployment.yaml: there are not three servers")
    want(deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0, "deployment.yaml: a roll-out may leave a server out")
    keys = ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold")
    for probe, path, numbers in (("livenessProbe", "/health/live", [30, 10, 5, 3]), ("readinessProbe", "/health/ready", [10, 5, 3, 2])):
        asked = [server[probe]["httpGet"]["path"], *(server[probe][key] for key in keys)]
        want(asked == [path, *numbers], f"deployment.yaml: {probe} is {asked}")
    sizes = [server["resources"][kind][what] for kind in ("requests", "limits") for what in ("memory", "cpu")]
    want(sizes == ["512Mi", "500m", "2Gi", "2000m"], f"deployment.yaml: resources are {sizes}")
    want(pod["securityContext"].get("runAsNonRoot") is True, "deployment.yaml: may run as root")
    want(server["securityContext"].get("readOnlyRootFilesystem") is True, "deployment.yaml: may write to its own image")
    want(server["securityContext"]["capabilities"] == {"drop": ["ALL"]}, "deployment.yaml: keeps capabilities")
    want(pod.get("enableServiceLinks") is False, "deployment.yaml: service links set HEARTH_PORT, which the server refuses")
    pause, grace = server["lifecycle"]["preStop"]["sleep"]["seconds"], seconds(settings["DRAIN_GRACE"])
    want(pause == grace, f"deployment.yaml: preStop is {pause} s, DRAIN_GRACE {grace} s")
    longest = pause + grace + seconds(settings["DRAIN_LIMIT"])
    want(pod["terminationGracePeriodSeconds"] > longest, f"deployment.yaml: killed before it has drained for {longest} s")
    secret = manifests["secrets.yaml"]["stringData"]
    for name in [*settings, *secret]:
        want(name in known, f"kubernetes: {name} is no setting")
    for name, value in secret.items():
        want(value.startswith("<") and value.endswith(">"), f"secrets.yaml: {name} holds a value")
    labels = deployment["template"]["metadata"]["labels"]
    for file, selector in (
        ("service.yaml", manifests["service.yaml"]["spec"]["selector"]),
        ("budget.yaml", manifests["budget.yaml"]["spec"]["selector"]["matchLabels"]),
        ("network-policy.yaml", manifests["network-policy.yaml"]["spec"]["podSelector"]["matchLabels"]),
    ):
        want(selector == labels, f"{file}: selects other pods than the deployment's")


# One break for each kind of rule: file, what is there, what is put in its place.
BREAKS = [
    (CONTAINERFILE, "FROM scratch", "FROM debian:12"),
    (CONTAINERFILE, "rust:1.95-slim-bookworm", "rust:slim"),
    (CONTAINERFILE, "USER 65532:65532", "USER hearth"),
    (CONTAINERFILE, 'ENTRYPOINT ["/usr/bin/hearth"]', "ENTRYPOINT /usr/bin/hearth"),
    (CONTAINERFILE, '["/usr/bin/hearth", "health"]', "curl localhost:8080"),
    (SIMPLE, "${PUBLISH:-", "${PUBLIC:-"),
    (SIMPLE, "read_only: true", "read_only: false"),
    (PRODUCTION, "    networks: [inside]\n    restart: unless-stopped\n    stop_grace", "    ports: [\"5432:5432\"]\n    restart: unless-stopped\n    stop_grace"),
    (PRODUCTION, "replicas: 3", "replicas: 2"),
    (PRODUCTION, "redis:7.4-bookworm", "redis:latest"),
    (PRODUCTION, "METRICS_TOKEN_FILE: /run/secrets/metrics_token", "METRICS_TOKEN: abc"),
    (PRODUCTION, "DRAIN_GRACE: 5s", "DRAIN_GRACES: 5s"),
    (PRODUCTION, "TRUSTED_PROXIES: 172.30.77.0/24", "TRUSTED_PROXIES: 172.30.78.0/24"),
    (PRODUCTION, "limits: {cpus: \"1\", memory: 256M}", "limits: {cpus: \"1\"}"),
    (KUBERNETES + "deployment.yaml", "initialDelaySeconds: 30", "initialDelaySeconds: 3"),
    (KUBERNETES + "deployment.yaml", "maxUnavailable: 0", "maxUnavailable: 1"),
    (KUBERNETES + "deployment.yaml", "enableServiceLinks: false", "enableServiceLinks: true"),
    (KUBERNETES + "deployment.yaml", "sleep: {seconds: 5}", "sleep: {seconds: 3}"),
    (KUBERNETES + "deployment.yaml", "terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 15"),
    (KUBERNETES + "deployment.yaml", "runAsNonRoot: true", "runAsNonRoot: false"),
    (KUBERNETES + "configmap.yaml", "S3_BUCKET:", "S3_BUKET:"),
    (KUBERNETES + "secrets.yaml", "<secret key>", "hunter2"),
    (KUBERNETES + "service.yaml", "selector: {app.kubernetes.io/name: hearth}", "selector: {app: hearth}"),
    ("deploy/nginx/hearth.conf", "proxy_read_timeout 120s", "proxy_read_timeout 10s"),
    ("deploy/compose/upstream.conf", "least_conn;", ""),
    (PRODUCTION, "PGUSER: postgres", "POSTGRES_USER: hearth"),
    ("deploy/redis/users.acl", "resetpass", "nopass"),
    ("deploy/redis/users.acl", "#{hash}", ">${REDIS_PASSWORD}"),
    ("deploy/redis/redis.conf", "volatile-ttl", "allkeys-lru"),
]


def unnoticed(texts):
    for path, there, instead in BREAKS:
        if there not in texts[path]:
            yield f"{path}: no {there!r} to break"
        elif not problems({**texts, path: texts[path].replace(there, instead, 1)}):
            yield f"{path}: nobody notices {instead!r} for {there!r}"


def environment(texts, place, *choice):
    if place == "compose":
        given = yaml.safe_load(texts[PRODUCTION])["services"]["hearth"]["environment"]
        return {name: value.replace("/run/secrets", choice[0]) for name, value in given.items()}
    settings = yaml.safe_load(texts[KUBERNETES + "configmap.yaml"])["data"]
    secret = yaml.safe_load(texts[KUBERNETES + "secrets.yaml"])["stringData"]
    if choice != ("as-is",):
        # An address keeps its form; everything else is a random text.
        secret = {n: v.strip("<>").replace("password", secrets.token_hex(16)) if "://" in v else secrets.token_hex(32) for n, v in secret.items()}
    return settings | secret


def main():
    texts = read_texts()
    if len(sys.argv) > 1:
        print("\n".join(f"{name}={value}" for name, value in environment(texts, *sys.argv[1:]).items()))
        return 0
    found = problems(texts) or list(unnoticed(texts))
    print("\n".join(found) or f"NOTE: {len(BREAKS)} planted breaks, all noticed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
