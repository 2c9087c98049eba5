"""Shapes of tools that change what runs: clusters, plans, machines, names; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.bot.gallery.cards import sure
from signoff.bot.gallery.schemas import flag, free, many, part, text, tool, whole
from signoff.bot.gallery.shape import Shape, done, edited, rejected

_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: search
  namespace: shop-prod
spec:
  replicas: 4
  selector:
    matchLabels: {app: search}
  template:
    metadata:
      labels: {app: search}
    spec:
      containers:
        - name: search
          image: registry.acme.example/search:0.9.4
          resources:
            limits: {cpu: "1", memory: 1Gi}
---
apiVersion: v1
kind: Service
metadata:
  name: search
  namespace: shop-prod
spec:
  selector: {app: search}
  ports: [{port: 80, targetPort: 8080}]
"""
_JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "disk-check", "namespace": "kube-system"},
    "spec": {
        "template": {
            "spec": {
                "hostPID": True,
                "restartPolicy": "Never",
                "containers": [
                    {
                        "name": "check",
                        "image": "registry.acme.example/disk-check:3",
                        "securityContext": {"privileged": True},
                    }
                ],
            }
        }
    },
}
_KUBERNETES = tool(
    "",
    manifest=text("YAML or JSON of the resources to apply"),
    resource=free("The resource to apply, as an object"),
    namespace=text("Kubernetes namespace", default="default"),
    context=text("Kubeconfig context to use (optional - defaults to current context)"),
    dryRun=flag("If true, only validate the resource, don't apply it", default=False),
    force=flag("If true, immediately remove resources from API", default=False),
)
_VALUES = {
    "image": {"repository": "registry.acme.example/shop", "tag": "1.5.0"},
    "replicaCount": 3,
    "ingress": {"enabled": True, "host": "shop.acme.example"},
}
_HELM = {
    "name": "shop",
    "chart": "acme/shop",
    "version": "1.5.0",
    "namespace": "shop-staging",
    "values": _VALUES,
    "atomic": True,
}
_TAGGED = {
    "aws_s3_bucket": "raw clean curated exports logs models features events archive reports",
    "aws_sqs_queue": "ingest ingest_dead replay export mailer",
    "aws_lambda_function": "resize tag index scrub notify rotate compact",
    "aws_dynamodb_table": "sessions offsets locks jobs",
    "aws_kinesis_stream": "clicks orders stock",
    "aws_sns_topic": "alerts digests",
    "aws_ecr_repository": "etl api worker",
    "aws_glue_job": "nightly weekly monthly",
}


def _change(address: str, actions: list[str], before: Any, after: Any) -> dict[str, Any]:
    kind, _, name = address.partition(".")
    provider = "registry.terraform.io/hashicorp/aws"
    change = {"actions": actions, "before": before, "after": after}
    about = {"address": address, "mode": "managed", "type": kind, "name": name}
    return {**about, "provider_name": provider, "change": change}


def _plan() -> dict[str, Any]:
    """Forty resources: 37 get a tag, one is made, one replaced, one deleted."""
    before, after = {"tags": {"team": "data"}}, {"tags": {"team": "data", "cost_centre": "4410"}}
    changes = [
        _change(f"{kind}.{name}", ["update"], before, after)
        for kind, names in _TAGGED.items()
        for name in names.split()
    ]
    changes[20:20] = [
        _change("aws_db_instance.reporting", ["delete"], {"engine": "postgres", "storage": 500}, None)
    ]
    changes.append(_change("aws_elasticache_cluster.hot", ["delete", "create"], {"nodes": 1}, {"nodes": 3}))
    changes.append(_change("aws_s3_bucket.previews", ["create"], None, {"bucket": "acme-previews"}))
    return {"format_version": "1.2", "terraform_version": "1.9.5", "resource_changes": changes}


CLOUD: Mapping[str, Shape] = {
    "kubernetes-yaml": Shape(
        "Manifests are applied to a cluster, as YAML.",
        "kind, name and namespace of each, in our words; the YAML below",
        "kubernetes.apply",
        {"manifest": _MANIFEST, "context": "eu-west-prod"},
        _KUBERNETES,
        "Search 0.9.4, in tonight's window.",
        sure("costly", "high"),
        done("deployment.apps/search configured"),
    ),
    "kubernetes-object": Shape(
        "A manifest is applied, as an object; its container is privileged.",
        "what is privileged, in our words",
        "kubernetes.apply",
        {"resource": _JOB, "context": "eu-west-prod"},
        _KUBERNETES,
        "Two nodes report slow disks.",
        sure("costly", "critical"),
        rejected("Not with hostPID. Ask the node team to run it."),
    ),
    "helm": Shape(
        "A release is upgraded with values.",
        "release, version, namespace, and every value",
        "helm.upgrade",
        _HELM,
        tool(
            "name chart namespace",
            name=text("Release name"),
            chart=text("Chart name"),
            repo=text("Chart repository URL"),
            version=text(),
            namespace=text("Kubernetes namespace"),
            values=free("Chart values"),
            atomic=flag("Roll back changes in case of a failed upgrade", default=False),
            wait=flag(default=False),
        ),
        "Release train 48, staging first.",
        sure("costly", headline="Upgrade shop to 1.5.0 in shop-staging"),
        edited(
            {**_HELM, "values": {**_VALUES, "replicaCount": 2}}, "two are enough for staging", "revision 48"
        ),
        claims={"undo": "helm rollback shop 47"},
    ),
    "terraform": Shape(
        "A plan of 40 resources, as `terraform show -json` gives it.",
        "every delete and replace by name; the rest counted",
        "terraform.apply",
        {"workspace": "data-prod", "auto_approve": True, "plan": _plan()},
        tool(
            "workspace plan",
            workspace=text("Terraform workspace"),
            auto_approve=flag(default=False),
            plan=free("Output of terraform show -json"),
            targets=many(text()),
        ),
        "Cost centre 4410 for all of the data team's resources.",
        sure("costly", "high"),
        rejected("Why does reporting go away? Take it out."),
        claims={"impact": "40 resources"},
        summed_up="plan",
    ),
    "ec2-terminate": Shape(
        "Machines are terminated, by a call of AWS's API.",
        "region, and each machine's id",
        "aws.call",
        {
            "service": "ec2",
            "operation": "TerminateInstances",
            "region": "eu-central-1",
            "parameters": {
                "InstanceIds": ["i-0a12b34c56d78e901", "i-0f98e76d54c32b109", "i-07c1d2e3f4a5b6c78"],
                "SkipOsShutdown": False,
            },
        },
        tool(
            "service operation",
            service=text("AWS service name"),
            operation=text(),
            region=text("AWS region", default="us-east-1"),
            parameters=free("Parameters of the operation"),
            max_results=whole(),
        ),
        "Their workload moved to the cluster last week.",
        sure("irreversible", "critical", headline="Terminate 3 machines in eu-central-1"),
        done("shutting-down"),
    ),
    "s3-delete": Shape(
        "Objects are deleted from a bucket.",
        "bucket, and each key",
        "s3.delete_objects",
        {
            "Bucket": "acme-exports",
            "Delete": {
                "Objects": [
                    {"Key": f"2024/{month:02}/orders.parquet", "VersionId": version}
                    for month, version in ((1, "3HL4kq"), (2, "9fPq2x"), (3, "null"), (4, "Zr81vv"))
                ],
                "Quiet": True,
            },
            "BypassGovernanceRetention": False,
        },
        tool(
            "Bucket Delete",
            Bucket=text(minLength=3),
            Delete=part(
                "Objects",
                Objects=many(part("Key", Key=text(), VersionId=text()), maxItems=1000),
                Quiet=flag(),
            ),
            BypassGovernanceRetention=flag(),
            MFA=text(),
        ),
        "Exports of 2024 are past their two years.",
        sure("irreversible", "high"),
        done("4 deleted"),
    ),
    "dns": Shape(
        "A DNS record is changed at Cloudflare.",
        "name, content and proxied; the TTL with its unit",
        "cloudflare.dns_record_update",
        {
            "zone_id": "023e105f4ecef8ad9ca31a8372d0c353",
            "dns_record_id": "372e67954025e0ba6aaa6d586b9e0b59",
            "type": "CNAME",
            "name": "pay.acme.example",
            "content": "acme.payments.example",
            "ttl": 300,
            "proxied": False,
        },
        tool(
            "zone_id dns_record_id type name content",
            zone_id=text("Identifier", maxLength=32),
            dns_record_id=text("Identifier", maxLength=32),
            type=text(enum=["A", "AAAA", "CNAME", "MX", "TXT"]),
            name=text("DNS record name in Punycode."),
            content=text(),
            ttl=whole("Time To Live (TTL) of the DNS record in seconds. Setting to 1 means automatic."),
            proxied=flag("Whether the record is proxied by Cloudflare", default=False),
            comment=text(),
        ),
        "The payment page moves to its new provider, change 351.",
        sure("costly", "high"),
        done(),
    ),
}
