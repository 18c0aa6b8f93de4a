"""Services, ingresses and endpoints that open the cluster, or lead its traffic elsewhere."""

from __future__ import annotations

from typing import Any

from k8sidx.generate.attack import attack
from k8sidx.generate.step import Step, ask


def service(**spec: Any) -> Step:
    body = {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "out"}, "spec": spec}
    return ask("create", "services", "out", body=body)


ATTACKS = {
    "nodeport_service": attack(service(type="NodePort", ports=[{"port": 80, "nodePort": 31337}])),
    "load_balancer_service": attack(service(type="LoadBalancer", ports=[{"port": 80}])),
    "external_ip_service": attack(service(externalIPs=["192.0.2.77"], ports=[{"port": 443}])),
    "exposed_sensitive_service": attack(
        service(type="LoadBalancer", selector={"k8s-app": "kubernetes-dashboard"})
    ),
    "ingress_without_tls": attack(
        ask(
            "create",
            "ingresses",
            "shop",
            body={
                "kind": "Ingress",
                "apiVersion": "networking.k8s.io/v1",
                "metadata": {"name": "shop"},
                "spec": {"rules": [{"host": "shop.example.com"}]},
            },
        )
    ),
    "endpoints_changed": attack(ask("patch", "endpointslices", "cart-1")),
}
