"""Tokens of well-known services, by their prefixes."""

from __future__ import annotations

import re

SERVICE_TOKEN_HINTS = (
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat-", "glrt-", "gldt-", "xox",
    "sk_live", "rk_live", "whsec_", "hvs.", "hvb.", "npm_", "AIza", "ya29.",
    "xapp-", "SG.", "dop_v1_", "dckr_pat_", "pypi-AgE", "shpat_", "AGE-SECRET-KEY-",
    "hooks.slack.com", "api/webhooks/", "webhookb2/",
    "sk-", "AKIA", "ASIA", "GOCSPX-", "lin_api_", "sk_test", "hf_", "pul-",
    "atlasv1.",
    "dapi", "shpss_", "shpca_", "glsa_", "EAACEdEose0cBA", "ATATT3x", "nvapi-", "gsk_", "xai-",
    "v1.0-",
    ":AA",
)  # fmt: skip
"""One of these is in every token of a well-known service."""
SERVICE_TOKEN = re.compile(
    r"(?<=/bot)\d{8,10}:AA[\w-]{30,}|\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|gl(?:pat|rt|dt)-[\w-]{20,}|xox[a-z]-[\w-]{10,}|"
    r"xapp-[\w-]{20,}|[sr]k_live_\w{16,}|whsec_[\w+/=]{20,}|sk-(?:ant|proj|svcacct)-[\w-]{20,}|"
    r"sk-(?=\w*\d)(?=\w*[A-Z])\w{32,}|A[KS]IA[A-Z0-9]{16}[:\s,;\"']+[\w/+]{36,}|"
    r"GOCSPX-[\w-]{20,}|lin_api_\w{20,}|"
    r"sk_test_\w{16,}|hf_[A-Za-z]\w{24,}|pul-\w{30,}|atlasv1\.[\w-]{20,}|dapi(?=\w*\d)\w{24,}|"
    r"shp(?:ss|ca)_\w{20,}|glsa_\w{20,}|EAACEdEose0cBA\w{10,}|ATATT3x\w{10,}|nvapi-[\w-]{20,}|"
    r"gsk_\w{30,}|xai-\w{30,}|v1\.0-\w{20,}-\w{20,}|\d{8,10}:AA[\w-]{30,}|"
    r"hv[sb]\.[\w-]{20,}|npm_\w{30,}|AIza[\w-]{35}|ya29\.[\w-]{20,}|"
    r"SG\.[\w-]{16,}\.[\w-]{16,}|dop_v1_\w{40,}|dckr_pat_[\w-]{20,}|pypi-AgE[\w-]{30,}|"
    r"shpat_\w{20,}|AGE-SECRET-KEY-1\w{20,}|(?<=hooks\.slack\.com/)services/[\w/]+|"
    r"(?<=api/webhooks/)\d+/[\w-]+|(?<=webhookb2/)[\w@/-]+)"
)
