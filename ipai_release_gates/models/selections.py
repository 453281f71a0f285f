"""Enumerations that several models share; the values are those of the contract."""

SOURCE_SYSTEMS = [
    ("github_actions", "GitHub Actions"),
    ("gitlab_ci", "GitLab CI"),
    ("agent", "Agent"),
    ("manual", "Manual"),
    ("monitoring", "Monitoring"),
]

ENVIRONMENT_CATEGORIES = [
    ("dev", "Development"),
    ("staging", "Staging"),
    ("production", "Production"),
]

GATE_STATUSES = [
    ("pending", "Pending"),
    ("in_progress", "In Progress"),
    ("passed", "Passed"),
    ("failed", "Failed"),
    ("bypassed", "Bypassed"),
]

CHECK_STATUSES = [
    ("pass", "Pass"),
    ("fail", "Fail"),
    ("warning", "Warning"),
    ("skipped", "Skipped"),
]

RELEASE_STATUSES = [
    ("draft", "Draft"),
    ("in_progress", "In Progress"),
    ("promoted", "Promoted"),
    ("rolled_back", "Rolled Back"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
]

EXCEPTION_TYPES = [
    ("gate_bypass", "Gate Bypass"),
    ("evidence_waiver", "Evidence Waiver"),
    ("timing_override", "Timing Override"),
    ("control_waiver", "Control Waiver"),
    ("emergency", "Emergency (break-glass)"),
]

RISK_LEVELS = [
    ("low", "Low"),
    ("medium", "Medium"),
    ("high", "High"),
    ("critical", "Critical"),
]

DECISIONS = [
    ("approved", "Approved"),
    ("rejected", "Rejected"),
    ("request_changes", "Changes Requested"),
]

#: A full commit SHA, SHA-1 or SHA-256, lower case.
COMMIT_PATTERN = "^[0-9a-f]{40}([0-9a-f]{24})?$"
